import { Command, Option } from 'commander';
import { print } from '../output.ts';
import {
  keyidOf,
  newPrivateKey,
  publicKeysIn,
  publicPathOf,
  writePrivateKey,
  writePublicKeys,
} from './files.ts';

interface CreateOptions {
  readonly function?: string;
  readonly lockSigner?: true;
  readonly out?: string;
  readonly json?: true;
}

/** `keys create`: a new key file (0600) and its public JWKS beside it; an existing JWKS gets one key more. */
export function createCommand(): Command {
  return new Command('create')
    .description('make a key: of this adapter, of a function, or of a lock signer')
    .addOption(new Option('--function <name>', 'the key of a function behind https').conflicts('lockSigner'))
    .option('--lock-signer', 'a key that seals locks')
    .option('--out <file>', 'key file (default: adapter.key.json, NAME.key.json, lock-signer.key.json)')
    .option('--json', 'one JSON object')
    .action(async (options: CreateOptions) => {
      const name = options.lockSigner ? 'lock-signer' : (options.function ?? 'adapter');
      const file = options.out ?? `${name.replace(/@.*/, '')}.key.json`;
      const jwk = newPrivateKey();
      const publicFile = publicPathOf(file);
      const known = await publicKeysIn(publicFile);
      await writePrivateKey(file, jwk);
      await writePublicKeys(publicFile, [...known, jwk]);
      const keyid = await keyidOf(jwk);
      print(
        options.json
          ? JSON.stringify({ file, publicFile, keyid })
          : `${file}\n  private key, mode 0600: keep it where it is used\n${publicFile}\n  public key ${keyid}: ${useOf(options)}`,
      );
    });
}

function useOf(options: CreateOptions): string {
  if (options.lockSigner) return 'the trust file of the SFTPGo host';
  if (options.function !== undefined) return 'goes into the lock';
  return 'goes into PLUGIN_CALLERS of every function';
}
