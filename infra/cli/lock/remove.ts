import { Command } from 'commander';
import { print } from '../../../adapter/cli/output.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { describeFunction } from '../../lock/describe.ts';
import { removeFunction } from '../../lock/remove.ts';
import { daysOf, endOf, lifeOption } from './life.ts';

interface RemoveOptions {
  readonly lock: string;
  readonly signer: string;
  readonly trust?: string;
  /** In ms. */
  readonly life: number;
}

/** `lock remove`: no host that takes the lock calls the function any more, nor takes its key. */
export function removeCommand(): Command {
  return new Command('remove')
    .description('take a function out of the lock, with its versions and its keys, and seal it')
    .argument('<function>', 'name or name@stage')
    .option('--lock <file>', 'the lock', 'bundles.lock.json')
    .option('--signer <file>', 'key that seals the lock', 'lock-signer.key.json')
    .option('--trust <file>', 'keys of others who may have sealed the lock before (JWKS)')
    .addOption(lifeOption())
    .action(async (given: string, { lock: lockFile, signer, trust, life }: RemoveOptions) => {
      const name = given.includes('@') ? given : `${given}@live`;
      const files = { lockFile, signerFile: signer, trustFile: trust };
      const { lock, entry } = await removeFunction(files, name, { lifeDays: daysOf(life) });
      const left = Object.keys(lock.functions).length;
      print(
        [
          `${lockFile}: seq ${lock.seq}, without ${name}, ${endOf(lock)}`,
          ...(left === 0 ? ['No function is left in it.'] : []),
          ...(await removed(name, entry)),
          `Bring it to the SFTPGo machine: within 5 s of taking it, the host refuses the calls of ${name}.`,
          'What is deployed stays deployed.',
        ].join('\n'),
      );
    });
}

async function removed(name: string, entry: LockedFunction): Promise<string[]> {
  const [heading, ...lines] = await describeFunction(name, entry);
  return [`removed ${heading}`, ...lines];
}
