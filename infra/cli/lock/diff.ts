import { Command } from 'commander';
import { print } from '../../../adapter/cli/output.ts';
import { committedText } from '../../lock/committed.ts';
import { diffLocks, type LockChange } from '../../lock/diff.ts';
import { openFileToShow, openToShow, type ShownLock } from '../../lock/open-file.ts';
import { printable, short } from '../../lock/text.ts';

interface DiffOptions {
  readonly revision: string;
  readonly trust?: string;
  readonly json?: true;
  readonly exitCode?: true;
}

/** `lock diff`: what a review of a changed lock has to look at. */
export function diffCommand(): Command {
  return new Command('diff')
    .description('what differs between two locks, or between a lock and the committed one')
    .argument('[old]', 'a lock; alone, it is compared with the committed one', 'bundles.lock.json')
    .argument('[new]', 'another lock')
    .option('--revision <name>', 'of git, for the committed one', 'HEAD')
    .option('--trust <file>', 'verify both seals by these keys (JWKS)')
    .option('--json', 'one JSON object')
    .option('--exit-code', 'exit with 1 when they differ')
    .action(async (first: string, second: string | undefined, options: DiffOptions) => {
      const { trust, revision } = options;
      const committed = `${first} of ${revision}`;
      const before =
        second === undefined
          ? await openToShow(await committedText(first, revision), committed, trust)
          : await openFileToShow(first, trust);
      const after = await openFileToShow(second ?? first, trust);
      const changes = await diffLocks(before.lock, after.lock);
      if (options.json) {
        print(JSON.stringify({ before: summary(before), after: summary(after), changes }));
      } else {
        print(
          [
            `- ${second === undefined ? committed : first}: ${headline(before)}`,
            `+ ${second ?? first}: ${headline(after)}`,
            ...lines(changes, before.digest === after.digest),
          ].join('\n'),
        );
      }
      if (options.exitCode && before.digest !== after.digest) process.exitCode = 1;
    });
}

const summary = ({ lock: { seq, issued, expires }, digest, signers }: ShownLock) => ({
  seq,
  issued,
  expires,
  digest,
  signers,
});

function headline({ lock: { seq, issued, expires }, signers, seal }: ShownLock): string {
  return `seq ${seq}, issued ${issued}, expires ${expires ?? 'never'}, sealed ${signers.join(', ')} (${seal})`;
}

function lines(changes: readonly LockChange[], same: boolean): string[] {
  if (same) return ['', 'The content is the same.'];
  if (changes.length === 0) return ['', 'The functions are the same.'];
  let last = '';
  return changes.flatMap((change) => {
    const heading = change.function === last ? [] : ['', change.function];
    last = change.function;
    return [...heading, line(change)];
  });
}

function line({ field, before, after }: LockChange): string {
  const name = printable(field);
  if (before === undefined) return `  + ${name}: ${shown(after)}`;
  if (after === undefined) return `  - ${name}: ${shown(before)}`;
  return `  ~ ${name}: ${shown(before)} → ${shown(after)}`;
}

const shown = (text: string | undefined) => short(text ?? '');
