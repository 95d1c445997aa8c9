import { accept, ask, auth, denyLogin, FunctionError, type LoginAnswer } from 'sftpgo-plugin-serverless/kit';
import { decide, numberOf, tell } from './tell.ts';

function login(rpc: string, username: string): LoginAnswer {
  const n = numberOf(username);
  tell(rpc, n);
  if (decide(n) === 'error') throw new FunctionError('unavailable', 'no database');
  return decide(n) === 'no' ? denyLogin('not this one') : accept.merge({ email: `${username}@example.org` });
}

/** Logins by the number in the username. */
export default auth<object>({
  checkUserAndPass: ({ username }) => login('CheckUserAndPass', username),
  checkUserAndTLSCert: ({ username }) => login('CheckUserAndTLSCert', username),
  checkUserAndPublicKey: ({ username }) => login('CheckUserAndPublicKey', username),
  checkUserAndKeyboardInteractive: ({ username }) => login('CheckUserAndKeyboardInteractive', username),
  sendKeyboardAuthRequest({ username, step, answers }) {
    const n = numberOf(username);
    tell('SendKeyboardAuthRequest', `${n}-${step}`);
    if (step === 1) return ask('Colour: ', { state: { n } });
    return answers[0] === 'blue' ? accept.unchanged() : denyLogin('another colour');
  },
});
