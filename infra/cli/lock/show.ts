import { Command } from 'commander';
import { print } from '../../../adapter/cli/output.ts';
import { describeLock } from '../../lock/describe.ts';
import { openFileToShow } from '../../lock/open-file.ts';

/** `lock show`: what a lock says, for people. */
export function showCommand(): Command {
  return new Command('show')
    .description('what a lock says')
    .argument('[file]', 'the lock', 'bundles.lock.json')
    .option('--trust <file>', 'verify its seal by these keys (JWKS)')
    .option('--json', 'one JSON object: content, SHA-256 of the content, signers')
    .action(async (file: string, options: { trust?: string; json?: true }) => {
      const opened = await openFileToShow(file, options.trust);
      const { seal, ...shown } = opened;
      if (options.json) print(JSON.stringify({ ...shown, verified: options.trust !== undefined }));
      else print(await describeLock(file, opened, seal));
    });
}
