import { Command } from 'commander';
import { diffCommand } from './diff.ts';
import { putCommand } from './put.ts';
import { removeCommand } from './remove.ts';
import { showCommand } from './show.ts';
import { signCommand } from './sign.ts';

/** `lock put | remove | show | diff | sign`: docs/lock.md. */
export function lockCommand(): Command {
  return new Command('lock')
    .description('the lock')
    .addCommand(putCommand())
    .addCommand(removeCommand())
    .addCommand(showCommand())
    .addCommand(diffCommand())
    .addCommand(signCommand());
}
