import { Command, InvalidArgumentError, Option } from 'commander';
import { print } from '../../adapter/cli/output.ts';
import { summary } from '../deploy/result.ts';
import { rollbackFunctions } from '../deploy/rollback.ts';
import { type LockedCommandOptions, openContext, withLockOptions } from './deploy.ts';

interface RollbackOptions extends LockedCommandOptions {
  readonly to?: number;
}

/** `rollback`: a new lock, with a higher seq, in which an older version comes last again. */
export function rollbackCommand(): Command {
  const command = new Command('rollback')
    .description('go back to an older version: a new lock, and then deploy --resume')
    .argument('[functions...]', 'name or name@stage (default: all of serverless.yml)')
    .addOption(
      new Option('--to <seq>', 'the lock to go back to (default: the last with another version)').argParser(
        seq,
      ),
    );
  return withLockOptions(command).action(async (names: string[], options: RollbackOptions) => {
    const result = await rollbackFunctions({ ...(await openContext(names, options)), to: options.to });
    print(options.json ? JSON.stringify(result) : summary(result, options));
  });
}

function seq(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected the seq of a lock: 41');
}
