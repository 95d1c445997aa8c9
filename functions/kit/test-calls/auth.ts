import { pluginHeaders } from '../../../proto/facts.ts';
import type { KeyboardAuthResponse } from '../../../proto/gen/wire.ts';
import { FunctionError } from '../function-error.ts';
import type { Login, UserRecord } from '../login.ts';
import type { Outcome } from '../plugin.ts';
import { formatUser, parseUser } from '../user-json.ts';
import type { Run } from './run.ts';

/** What a login handler decided. */
export interface CheckedLogin {
  readonly accepted: boolean;
  /** How the user is meant; absent when denied. */
  readonly grant?: string;
  /** What `accept.merge` or `accept.replace` got. */
  readonly user?: UserRecord;
  /** As the adapter's log will show it; empty where there is none. */
  readonly reason: string;
}

/** What a step of a dialogue decided. */
export interface CheckedStep {
  /** `undefined`: it asks. */
  readonly accepted: boolean | undefined;
  readonly instructions: string;
  readonly questions: readonly string[];
  readonly echos: readonly boolean[];
  /** 1: SFTPGo is to check the answer as the password; 2: as the one-time code. */
  readonly checkPassword: number;
  readonly reason: string;
}

/** Who logs in: `ip` 127.0.0.1, `protocol` SSH and a user that SFTPGo does not know, unless said otherwise. */
export type LoginOf = Pick<Login, 'username'> & Partial<Pick<Login, 'ip' | 'protocol' | 'user'>>;

/** The RPCs of an auth plugin. Each rejects with what the handler threw. */
export interface AuthCalls {
  checkUserAndPass(login: LoginOf & { readonly password: string }): Promise<CheckedLogin>;
  checkUserAndPublicKey(login: LoginOf & { readonly pubKey: string }): Promise<CheckedLogin>;
  checkUserAndTLSCert(login: LoginOf & { readonly tlsCert: string }): Promise<CheckedLogin>;
  checkUserAndKeyboardInteractive(login: LoginOf): Promise<CheckedLogin>;
  /** The state of a dialogue goes from step to step by its `requestID`, as the adapter carries it. */
  sendKeyboardAuthRequest(step: {
    readonly username: string;
    readonly requestID?: string;
    readonly step: number;
    readonly ip?: string;
    readonly answers?: readonly string[];
  }): Promise<CheckedStep>;
}

/** The calls of an auth plugin. */
export function authCalls(run: Run): AuthCalls {
  const states = new Map<string, string>();
  const check = (rpc: string) => async (login: LoginOf) => {
    const { user = { id: 0, username: login.username } } = login;
    const input = {
      ...{ password: '', pubKey: '', tlsCert: '', ip: '127.0.0.1', protocol: 'SSH' },
      ...login,
      user: formatUser(user),
    };
    return checkedLogin(await run(rpc, input));
  };
  return {
    checkUserAndPass: check('CheckUserAndPass'),
    checkUserAndPublicKey: check('CheckUserAndPublicKey'),
    checkUserAndTLSCert: check('CheckUserAndTLSCert'),
    checkUserAndKeyboardInteractive: check('CheckUserAndKeyboardInteractive'),
    async sendKeyboardAuthRequest({ username, requestID = 'a-dialogue', step, answers = [], ip = '' }) {
      const state = states.get(requestID);
      states.delete(requestID);
      const headers = new Map(state === undefined ? [] : [[pluginHeaders.dialogue, state]]);
      const input = { requestID, username, password: '', ip, answers, questions: [], step };
      const outcome = await run('SendKeyboardAuthRequest', input, headers);
      const sealed = outcome.facts?.[pluginHeaders.dialogue];
      if (sealed !== undefined) states.set(requestID, sealed);
      const answer: Partial<KeyboardAuthResponse> = outcome.output ?? {};
      const accepted = isDenied(outcome) ? false : answer.authResult === 1 || undefined;
      const { instructions = '', questions = [], echos = [], checkPassword = 0 } = answer;
      return { accepted, instructions, questions, echos, checkPassword, reason: reasonOf(outcome) };
    },
  };
}

function checkedLogin(outcome: Outcome): CheckedLogin {
  const reason = reasonOf(outcome);
  if (isDenied(outcome)) return { accepted: false, reason };
  const { user }: { readonly user?: Uint8Array } = outcome.output ?? {};
  const grant = outcome.facts?.[pluginHeaders.grant];
  return {
    accepted: true,
    reason,
    ...(grant === undefined ? {} : { grant }),
    ...(user === undefined ? {} : { user: parseUser(user) as UserRecord }),
  };
}

function isDenied({ refusal }: Outcome): boolean {
  if (refusal && refusal.code !== 'permission_denied') throw new FunctionError(refusal.code, refusal.message);
  return refusal !== undefined;
}

function reasonOf({ facts }: Outcome): string {
  return facts?.[pluginHeaders.reason] ?? '';
}
