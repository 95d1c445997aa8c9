import { hostProgram, runCommand } from '../../adapter/cli/program.ts';
import { buildCommand } from './build.ts';
import { deployCommand } from './deploy.ts';
import { lockCommand } from './lock/index.ts';
import { logsCommand } from './logs.ts';
import { rollbackCommand } from './rollback.ts';

/** The command of the npm package: the host's commands and those of authors. */
process.exitCode = await runCommand(
  process.argv.slice(2),
  hostProgram([buildCommand(), lockCommand(), deployCommand(), rollbackCommand(), logsCommand()]),
);
