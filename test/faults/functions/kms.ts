import { kms } from '../../../functions/kit/index.ts';
import { misbehave } from './misbehave.ts';

/** Writes base64 in place of a ciphertext. */
export default kms<object>({
  encrypt: ({ payload }) => btoa(payload),
  decrypt({ payload }) {
    misbehave(atob(payload));
    return atob(payload);
  },
});
