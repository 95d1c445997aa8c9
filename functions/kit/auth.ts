import { PluginError } from '../../proto/error.ts';
import { formatReason, pluginHeaders } from '../../proto/facts.ts';
import { authService, type KeyboardAuthRequest } from '../../proto/gen/wire.ts';
import type { Context } from './context.ts';
import { definePlugin } from './define.ts';
import type { DialogueAnswer, DialogueStep } from './dialogue.ts';
import { openState, type Remembered, sealState } from './dialogue-state.ts';
import { maxDrainBytes } from './limits.ts';
import type { Login, LoginAnswer, PasswordLogin, PublicKeyLogin, TLSCertLogin, UserRecord } from './login.ts';
import type { Outcome, Plugin, Rpc } from './plugin.ts';
import { refusal } from './refusal.ts';
import { formatUser, parseUser } from './user-json.ts';

/**
 * What the author of an auth plugin writes: only what is there is asked for. Each handler answers with
 * {@link accept} or {@link denyLogin}; what it throws denies the login too, and counts as a failure of the function.
 */
export interface Auth<Env> {
  checkUserAndPass?(login: PasswordLogin, context: Context<Env>): LoginAnswer | Promise<LoginAnswer>;
  /**
   * An SSH client offers a key. Accepting says that the key is the user's; SFTPGo then has the client prove it, and
   * looks for the key in the user's `public_keys`.
   */
  checkUserAndPublicKey?(login: PublicKeyLogin, context: Context<Env>): LoginAnswer | Promise<LoginAnswer>;
  checkUserAndTLSCert?(login: TLSCertLogin, context: Context<Env>): LoginAnswer | Promise<LoginAnswer>;
  /** May the user log in by a dialogue? Needs sendKeyboardAuthRequest. */
  checkUserAndKeyboardInteractive?(login: Login, context: Context<Env>): LoginAnswer | Promise<LoginAnswer>;
  /**
   * One step of a dialogue: ask, or end it with `accept.unchanged()` or `denyLogin(…)`. SFTPGo sends it to the plugin
   * that has the password scope: docs/auth.md.
   */
  sendKeyboardAuthRequest?(
    step: DialogueStep,
    context: Context<Env>,
  ): DialogueAnswer | Promise<DialogueAnswer>;
}

/** What {@link auth} makes: the default export of an auth function. */
export interface AuthPlugin<Env = unknown> extends Plugin<Env> {
  readonly type: 'auth';
}

/**
 * Makes an SFTPGo auth plugin.
 *
 * ```ts
 * import { accept, auth, denyLogin } from 'sftpgo-plugin-serverless/kit';
 *
 * export default auth<{ HASHES: KVNamespace }>({
 *   async checkUserAndPass({ username, password, isNew }, { env }) {
 *     if (!(await verify(password, await env.HASHES.get(username)))) return denyLogin('wrong password');
 *     return isNew
 *       ? accept.merge({ status: 1, home_dir: `/srv/sftp/${username}`, permissions: { '/': ['list', 'download'] } })
 *       : accept.unchanged();
 *   },
 * });
 * ```
 *
 * @throws PluginError CONFIG_INVALID for half a dialogue
 */
export function auth<Env = unknown>(handlers: Auth<Env>): AuthPlugin<Env> {
  const { methods, typeName } = authService;
  const { checkUserAndKeyboardInteractive: begin, sendKeyboardAuthRequest: step } = handlers;
  if ((begin === undefined) !== (step === undefined)) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `the auth plugin has ${begin ? 'no sendKeyboardAuthRequest' : 'no checkUserAndKeyboardInteractive'}`,
      expected: 'both or none: a dialogue begins with one and goes on with the other',
      remedy: 'Write it in the object given to auth().',
    });
  }
  const rpcs: Record<string, Rpc<Env>> = {};
  const logins = [
    [methods.checkUserAndPass, handlers.checkUserAndPass],
    [methods.checkUserAndTLSCert, handlers.checkUserAndTLSCert],
    [methods.checkUserAndPublicKey, handlers.checkUserAndPublicKey],
    [methods.checkUserAndKeyboardInteractive, begin],
  ] as const;
  for (const [table, handler] of logins) {
    if (handler === undefined) continue;
    rpcs[table.name] = {
      table,
      async run(input: LoginInput, context): Promise<Outcome> {
        const user = parseUser(input.user) as UserRecord;
        const isNew = BigInt(user.id ?? 0) === 0n;
        const login = { ...input, ...(input.pubKey && { pubKey: input.pubKey.trim() }), user, isNew };
        return outcomeOf(await handler.call(handlers, login, context), isNew);
      },
    };
  }
  if (step !== undefined) {
    rpcs[methods.sendKeyboardAuthRequest.name] = {
      table: methods.sendKeyboardAuthRequest,
      run: (input: KeyboardAuthRequest, context, signed, secret) =>
        converse(input, signed.get(pluginHeaders.dialogue), secret, (asked) =>
          step.call(handlers, asked, context),
        ),
    };
  }
  const plugin = definePlugin<Env>({ type: 'auth', service: typeName, maxRequestBytes: maxDrainBytes, rpcs });
  return { ...plugin, type: 'auth' };
}

/** The four login messages, each with what the client offered. */
interface LoginInput {
  readonly username: string;
  readonly password: string;
  readonly pubKey: string;
  readonly tlsCert: string;
  readonly ip: string;
  readonly protocol: Login['protocol'];
  readonly user: Uint8Array;
}

function outcomeOf(answer: LoginAnswer, isNew: boolean): Outcome {
  switch (answer?.grant) {
    case 'none':
      return denied(answer.reason);
    case 'unchanged':
      if (isNew)
        throw new TypeError('accept.unchanged() for a user that SFTPGo does not know: use accept.merge');
      return { facts: { [pluginHeaders.grant]: 'unchanged' } };
    case 'merge':
    case 'replace':
      return { output: { user: formatUser(answer.user) }, facts: { [pluginHeaders.grant]: answer.grant } };
    default:
      // JavaScript authors forget a `return`: undefined must not become a login
      throw new TypeError('a login must end in accept.… or denyLogin(…), and ended in neither');
  }
}

function denied(reason: string): Outcome {
  return refusal('permission_denied', 'denied', { [pluginHeaders.reason]: formatReason(reason) });
}

async function converse(
  { username, requestID, step, ip, answers, questions }: KeyboardAuthRequest,
  sealed: string | undefined,
  secret: string,
  next: (step: DialogueStep) => DialogueAnswer | Promise<DialogueAnswer>,
): Promise<Outcome> {
  const bound = { username, requestID, step };
  const kept: Remembered | undefined =
    step === 1 ? { check: 0 } : await openState(secret, bound, sealed ?? '');
  if (!kept) return denied('a step of a dialogue without the state of the one before it');
  // without having asked SFTPGo for a check, an answer OK is what somebody typed
  const checked = checks[kept.check];
  if (checked && (answers.length !== 1 || answers[0] !== 'OK')) return denied('SFTPGo checked nothing');
  const asked: DialogueStep = {
    ...{ username, requestID, step, ip, questions, state: kept.state },
    ...(checked ? { checked, answers: [] } : { answers }),
  };
  const answer = await next(asked);
  if (!answer || !('ask' in answer)) {
    if (answer && answer.grant !== 'none' && answer.grant !== 'unchanged') {
      throw new TypeError('a dialogue changes no user: end it with accept.unchanged()');
    }
    const outcome = outcomeOf(answer, false);
    return outcome.refusal ? outcome : { ...outcome, output: { authResult: 1 } };
  }
  const { ask, check, state, instructions = '' } = answer;
  return {
    output: {
      instructions,
      questions: ask.map((question) => (typeof question === 'string' ? question : question.text)),
      echos: ask.map((question) => typeof question !== 'string' && question.echo === true),
      checkPassword: check,
    },
    facts: {
      [pluginHeaders.dialogue]: await sealState(secret, { ...bound, step: step + 1 }, { state, check }),
    },
  };
}

const checks = [undefined, 'password', 'code'] as const;
