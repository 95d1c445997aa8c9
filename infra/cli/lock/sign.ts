import { Command } from 'commander';
import { print } from '../../../adapter/cli/output.ts';
import { PluginError } from '../../../proto/error.ts';
import { signLock } from '../../lock/sign.ts';

interface SignOptions {
  readonly signer: string;
  readonly lock: string;
  readonly trust?: string;
  readonly only?: true;
}

/** `lock sign`: a second signature, or the seal of a new signer, on the same content. */
export function signCommand(): Command {
  return new Command('sign')
    .description('add a signature to a lock; its content stays the same')
    .option('--signer <file>', 'key that signs', 'lock-signer.key.json')
    .option('--lock <file>', 'the lock', 'bundles.lock.json')
    .option('--trust <file>', 'the signatures that are there must be by these keys (JWKS)')
    .option('--only', 'drop the other signatures: their signer is replaced')
    .action(async (options: SignOptions) => {
      if (options.only && options.trust === undefined) {
        throw new PluginError('INPUT_INVALID', {
          happened: '--only drops signatures that nobody has verified',
          expected: '--trust FILE with the key of the signer that is replaced',
          remedy: 'Add it.',
        });
      }
      const { lock, signers } = await signLock(
        { lockFile: options.lock, signerFile: options.signer, trustFile: options.trust },
        { only: options.only ?? false },
      );
      print(`${options.lock}: seq ${lock.seq}, sealed ${signers.join(', ')}`);
    });
}
