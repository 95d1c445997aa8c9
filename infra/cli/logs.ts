import { Command, InvalidArgumentError, Option } from 'commander';
import { print } from '../../adapter/cli/output.ts';
import { parseDurationMs } from '../../adapter/config/units.ts';
import { openFileToShow } from '../lock/open-file.ts';
import { showLine } from '../logs/line.ts';
import { mergedLines } from '../logs/merge.ts';
import { logSources } from '../logs/sources.ts';

interface LogsOptions {
  /** In ms. */
  readonly since: number;
  readonly follow?: true;
  readonly lock: string;
  readonly json?: true;
}

/** Both clouds show a line some seconds after it was written; more often shows nothing sooner. */
const followEveryMs = 3000;
const hourMs = 3_600_000;

/** `logs`: what functions on AWS and on Cloudflare wrote, in one stream. */
export function logsCommand(): Command {
  return new Command('logs')
    .description('what functions wrote, on AWS and on Cloudflare, by time')
    .argument('[functions...]', 'name or name@stage (default: all of the lock that are in a cloud)')
    .addOption(new Option('--since <duration>', 'how far back').default(hourMs, '1h').argParser(since))
    .option('--follow', 'go on until interrupted')
    .option('--lock <file>', 'the lock, which says where they are', 'bundles.lock.json')
    .option('--json', 'one JSON object a line')
    .action(async (names: string[], options: LogsOptions) => {
      const { lock } = await openFileToShow(options.lock, undefined);
      const sources = logSources(lock, names, { folder: process.cwd(), environment: process.env });
      const stop = new AbortController();
      process.once('SIGINT', () => stop.abort());
      const reading = {
        fromMs: Date.now() - options.since,
        ...(options.follow ? { followEveryMs, signal: stop.signal } : {}),
      };
      for await (const lines of mergedLines(sources, reading)) {
        for (const line of lines) print(options.json ? JSON.stringify(line) : showLine(line));
      }
    });
}

function since(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0 && ms <= 30 * 24 * hourMs) return ms;
  throw new InvalidArgumentError('expected a duration with its unit, at most 30d: 15m, 1h, 2d');
}
