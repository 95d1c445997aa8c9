import { accept, ask, auth, denyLogin, type Plugin, type UserRecord } from '../../../functions/kit/index.ts';

/** Users whom only the function knows: one for each way to log in. */
export interface Team {
  /** Folder of their homes. */
  readonly homes: string;
  /** `paula` has this password. */
  readonly password: string;
  /** `karl` has this key: type and base64. */
  readonly publicKey: string;
  /** `kim` answers the two questions of a dialogue. */
  readonly answers: readonly [string, string];
}

/** Lets the team in, and nobody else. */
export function teamPlugin({ homes, password, publicKey, answers }: Team): Plugin<object> {
  const admit = (username: string, more: UserRecord = {}) =>
    accept.merge({ status: 1, home_dir: `${homes}/${username}`, permissions: { '/': ['*'] }, ...more });
  return auth<object>({
    checkUserAndPass({ username, password: given, isNew }) {
      if (username !== 'paula' || given !== password) return denyLogin('name or password');
      return isNew ? admit(username) : accept.unchanged();
    },
    checkUserAndPublicKey({ username, pubKey }) {
      if (username !== 'karl' || pubKey !== publicKey) return denyLogin('name or key');
      return admit(username, { public_keys: [pubKey] });
    },
    checkUserAndKeyboardInteractive({ username, isNew }) {
      if (username !== 'kim') return denyLogin('no dialogue with this user');
      return isNew ? admit(username) : accept.unchanged();
    },
    sendKeyboardAuthRequest({ step, answers: given, state }) {
      if (step === 1) return ask('Colour: ', { state: 'colour' });
      if (step === 2 && state === 'colour' && given[0] === answers[0]) {
        return ask({ text: 'Number: ', echo: true }, { state: 'number' });
      }
      return step === 3 && state === 'number' && given[0] === answers[1]
        ? accept.unchanged()
        : denyLogin('a wrong answer');
    },
  });
}
