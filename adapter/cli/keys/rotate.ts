import { chmod, chown, realpath, rename, stat } from 'node:fs/promises';
import { Command } from 'commander';
import { PluginError } from '../../../proto/error.ts';
import type { PublicJwk } from '../../../proto/keys/jwk.ts';
import { readPrivateKey } from '../../config/key-files.ts';
import { print } from '../output.ts';
import {
  exists,
  keyidOf,
  newPrivateKey,
  publicKeysIn,
  publicPathOf,
  writePrivateKey,
  writePublicKeys,
} from './files.ts';

/**
 * `keys rotate FILE` in two steps, so that no call fails between them: first a second key is made and both stand
 * in the JWKS, which goes to whoever checks signatures; then `--finish` puts the new key in force. Keys of others
 * in the JWKS stay.
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
      const others = without(await publicKeysIn(publicFile), old);
      if (!options.finish) {
        if (await exists(next)) throw stepMissing(`${next} exists`, `keys rotate ${file} --finish`);
        const jwk = newPrivateKey();
        await writePrivateKey(next, jwk);
        await writePublicKeys(publicFile, [...others, old, jwk]);
        print(
          `${publicFile} holds the old and the new key (${await keyidOf(jwk)}).\n` +
            `Hand it to whoever checks these signatures, then run: keys rotate ${file} --finish`,
        );
        return;
      }
      if (!(await exists(next))) throw stepMissing(`${next} is not there`, `keys rotate ${file}`);
      const jwk = (await readPrivateKey(next)).jwk;
      await replaceKeepingAccess(next, file);
      await writePublicKeys(publicFile, [...without(others, jwk), jwk]);
      print(
        `${file} now holds ${await keyidOf(jwk)}; the running adapter takes it within 5 s.\n` +
          `${publicFile} no longer lists ${await keyidOf(old)}: hand it out once more.`,
      );
    });
}

function without(keys: readonly PublicJwk[], { x }: PublicJwk): readonly PublicJwk[] {
  return keys.filter((key) => key.x !== x);
}

function stepMissing(happened: string, command: string): PluginError {
  return new PluginError('KEY_FILE_INVALID', {
    happened,
    expected: 'the two steps of a rotation in turn',
    remedy: `Run: ${command}`,
  });
}

/** Puts a key in the place of another: SFTPGo's user must be able to read it as it could the old one. */
async function replaceKeepingAccess(from: string, to: string): Promise<void> {
  const place = await realpath(to);
  const { mode, uid, gid } = await stat(place);
  if (process.getuid?.() === 0) await chown(from, uid, gid);
  await chmod(from, mode & 0o777);
  await rename(from, place);
}
