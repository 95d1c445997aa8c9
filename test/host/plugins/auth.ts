import { accept, ask, auth, denyLogin, type LoginAnswer, type Plugin } from '../../../functions/kit/index.ts';
import type { Arrivals } from './arrivals.ts';

/** Denies the user `mallory`, gives others a new address, and asks who wants a dialogue for a colour. */
export function authPlugin(arrivals: Arrivals): Plugin<object> {
  const decide = (username: string): LoginAnswer =>
    username === 'mallory' ? denyLogin('not her') : accept.merge({ email: 'anna@example.org' });
  return auth<object>({
    checkUserAndPass(login) {
      arrivals.add('CheckUserAndPass', login);
      return decide(login.username);
    },
    checkUserAndTLSCert(login) {
      arrivals.add('CheckUserAndTLSCert', login);
      return decide(login.username);
    },
    checkUserAndPublicKey(login) {
      arrivals.add('CheckUserAndPublicKey', login);
      return decide(login.username);
    },
    checkUserAndKeyboardInteractive(login) {
      arrivals.add('CheckUserAndKeyboardInteractive', login);
      return login.username === 'mallory' ? denyLogin('not her') : accept.unchanged();
    },
    sendKeyboardAuthRequest(step) {
      arrivals.add('SendKeyboardAuthRequest', step);
      if (step.username === 'mallory') return denyLogin('not her');
      if (step.step === 1) {
        const questions = ['Colour: ', { text: 'Number: ', echo: true }];
        return ask(questions, { instructions: 'Two questions', state: { ip: step.ip } });
      }
      return step.answers.join() === 'blue,7' ? accept.unchanged() : denyLogin('another colour');
    },
  });
}
