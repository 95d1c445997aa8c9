import { readdir } from 'node:fs/promises';
import { Command } from 'commander';
import { PluginError } from '../../../proto/error.ts';
import { readPrivateKey } from '../../config/key-files.ts';
import { print, table } from '../output.ts';
import { keyidOf, publicKeysIn } from './files.ts';

interface ListedKey {
  readonly file: string;
  readonly kind: 'private' | 'public';
  readonly keyid: string;
  readonly problem: string;
}

async function describe(file: string): Promise<ListedKey[]> {
  const kind = file.endsWith('.jwks.json') ? 'public' : 'private';
  try {
    const keys = kind === 'public' ? await publicKeysIn(file) : [(await readPrivateKey(file)).jwk];
    return await Promise.all(
      keys.map(async (jwk) => ({ file, kind, keyid: await keyidOf(jwk), problem: '' })),
    );
  } catch (error) {
    const problem = error instanceof PluginError ? `${error.happened}. ${error.remedy}` : 'unreadable';
    return [{ file, kind, keyid: '', problem }];
  }
}

/** `keys list`: the key files of a folder with their keyids, and what is wrong with them. */
export function listCommand(): Command {
  return new Command('list')
    .description('list key files with their keyids')
    .argument('[files...]', 'default: *.key.json and *.jwks.json of this folder')
    .option('--json', 'one object a line')
    .action(async (files: string[], options: { json?: true }) => {
      const named =
        files.length > 0 ? files : (await readdir('.')).filter((name) => /\.(key|jwks)\.json$/.test(name));
      const keys = (await Promise.all(named.sort().map(describe))).flat();
      print(
        options.json
          ? keys.map((key) => JSON.stringify(key)).join('\n')
          : table(
              ['file', 'kind', 'keyid', 'problem'],
              keys.map((k) => [k.file, k.kind, k.keyid, k.problem]),
            ),
      );
      if (keys.some(({ problem }) => problem !== '')) process.exitCode = 1;
    });
}
