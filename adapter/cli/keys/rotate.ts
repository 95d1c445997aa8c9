import { rename } from 'node:fs/promises';
import { Command } from 'commander';
import { PluginError } from '../../../proto/error.ts';
import { readPrivateKey } from '../../config/key-files.ts';
import { print } from '../output.ts';
import { exists, keyidOf, newPrivateKey, publicPathOf, writePrivateKey, writePublicKeys } from './files.ts';

/**
 * `keys rotate FILE` in two steps, so that no call fails between them: first a second key is made and both stand
 * in the JWKS, which goes to whoever checks signatures; then `--finish` puts the new key in force.
 */
export function rotateCommand(): Command {
  return new Command('rotate')
    .description('replace a key in two steps without an outage')
    .argument('<file>', 'key file')
    .option('--finish', 'put the new key in force and drop the old one')
    .action(async (file: string, options: { finish?: true }) => {
      const next = `${file.replace(/\.json$/, '')}.next.json`;
      const publicFile = publicPathOf(file);
      const old = (await readPrivateKey(file)).jwk;
      if (!options.finish) {
        const jwk = newPrivateKey();
        await writePrivateKey(next, jwk);
        await writePublicKeys(publicFile, [old, jwk]);
        print(
          `${publicFile} holds the old and the new key (${await keyidOf(jwk)}).\n` +
            `Hand it to whoever checks these signatures, then run: keys rotate ${file} --finish`,
        );
        return;
      }
      if (!(await exists(next))) {
        throw new PluginError('KEY_FILE_INVALID', {
          happened: `${next} is not there`,
          expected: 'a rotation that has begun',
          remedy: `Run first: keys rotate ${file}`,
        });
      }
      const jwk = (await readPrivateKey(next)).jwk;
      await rename(next, file);
      await writePublicKeys(publicFile, [jwk]);
      print(
        `${file} now holds ${await keyidOf(jwk)}; the running adapter takes it within 5 s.\n` +
          `${publicFile} no longer lists ${await keyidOf(old)}: hand it out once more.`,
      );
    });
}
