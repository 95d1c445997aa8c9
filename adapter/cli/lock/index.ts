import { Command } from 'commander';
import { resetSeqCommand } from './reset-seq.ts';

/** `lock` on the host; the npm package adds what writes and reads locks. */
export function lockCommand(): Command {
  return new Command('lock').description('the lock').addCommand(resetSeqCommand());
}
