import { Command } from 'commander';
import { createCommand } from './create.ts';
import { listCommand } from './list.ts';
import { rotateCommand } from './rotate.ts';

/** `keys create | list | rotate`: docs/security.md, "Keys". */
export function keysCommand(): Command {
  return new Command('keys')
    .description('make, list and replace keys')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(rotateCommand());
}
