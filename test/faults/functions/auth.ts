import { accept, auth } from '../../../functions/kit/index.ts';
import { misbehave } from './misbehave.ts';

/** Lets everybody in. */
export default auth<object>({
  checkUserAndPass({ password }) {
    misbehave(password);
    return accept.unchanged();
  },
});
