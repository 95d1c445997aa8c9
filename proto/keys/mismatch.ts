import { PluginError } from '../error.ts';

/** KEY_FILE_INVALID for a private JWK whose x is not d's public key; tells nothing of either. */
export function mismatch(): PluginError {
  return new PluginError('KEY_FILE_INVALID', {
    happened: 'the two halves of an Ed25519 private key do not belong together',
    expected: 'x to be the public key of d',
    remedy: 'Make the key again.',
  });
}
