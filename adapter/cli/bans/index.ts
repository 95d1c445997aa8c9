import { Command } from 'commander';
import { parseBanNetwork } from '../../../proto/bans/network.ts';
import { PluginError } from '../../../proto/error.ts';
import { Bans } from '../../../proto/gen/bans/bans_pb.ts';
import { formatPrefix } from '../../../proto/net/prefix.ts';
import { parseDurationMs } from '../../config/units.ts';
import { configOption } from '../config-option.ts';
import { print, remark, table } from '../output.ts';
import { type CallBans, withBans } from './call.ts';

interface Common {
  readonly config: string;
  readonly json?: true;
}

/** A million bans; more are a list that does not end. */
const maxPages = 1000;
/** A clock that differs, and the way there and back: less than this was not cut by the function. */
const toleranceMs = 60_000;

/** `bans add|list|remove`: the bans that all nodes share, in the ipfilter function of the configuration. */
export function bansCommand(): Command {
  return new Command('bans')
    .description('keep networks out, on all nodes, until a time')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand());
}

function common(name: string): Command {
  return new Command(name).addOption(configOption()).option('--json', 'one object a line');
}

function addCommand(): Command {
  return common('add')
    .description('ban an address or a network')
    .argument('<network>', 'as 203.0.113.7, 203.0.113.0/24 or 2001:db8:7::/48')
    .requiredOption('--for <duration>', 'how long: 15m, 12h, 7d')
    .option('--reason <text>', 'for the list and logs, never for the client', '')
    .action(async (text: string, options: Common & { for: string; reason: string }) => {
      const network = networkOf(text);
      const forMs = parseDurationMs(options.for);
      if (forMs === undefined || forMs < 1000) {
        throw new PluginError('INPUT_INVALID', {
          happened: `--for is "${options.for}"`,
          expected: 'a time with its unit, one second or more: 15m, 12h, 7d',
          remedy: 'Correct it.',
        });
      }
      await withBans(options.config, async (call) => {
        const ban = await call(Bans.method.add, { network, forMs: BigInt(forMs), reason: options.reason });
        const until = isoTime(ban.untilMs);
        print(
          options.json
            ? JSON.stringify({ network: ban.network, until })
            : `${ban.network} is banned until ${until}`,
        );
        const differsMs = Number(ban.untilMs) - Date.now() - forMs;
        if (differsMs < -toleranceMs)
          remark('That is less than asked for: the most that the function allows.');
        if (differsMs > toleranceMs) remark('That is longer than asked for: a ban that was there ends then.');
      });
    });
}

function listCommand(): Command {
  return common('list')
    .description('show the bans in force')
    .action(async (options: Common) => {
      await withBans(options.config, async (call, functionName) => {
        const rows = await allBans(call, functionName);
        const headings = ['network', 'until', 'by', 'reason'];
        if (options.json) for (const row of rows) print(JSON.stringify(row));
        else
          print(
            table(
              headings,
              rows.map(({ network, until, by, reason }) => [network, until, by, reason]),
            ),
          );
      });
    });
}

function removeCommand(): Command {
  return common('remove')
    .description('end the ban of an address or a network')
    .argument('<network>', 'as `bans list` shows it')
    .action(async (text: string, options: Common) => {
      const network = networkOf(text);
      await withBans(options.config, async (call) => {
        const { removed } = await call(Bans.method.remove, { network });
        if (options.json) print(JSON.stringify({ network, removed }));
        else if (removed) print(`${network} is no longer banned`);
        if (removed) return;
        remark(`${network} was not banned: \`bans list\` shows which networks are`);
        process.exitCode = 1;
      });
    });
}

function networkOf(text: string): string {
  return formatPrefix(parseBanNetwork(text));
}

async function allBans(call: CallBans, functionName: string) {
  const rows = [];
  let cursor = '';
  let pages = 0;
  do {
    const page = await call(Bans.method.list, { cursor });
    const { networks, untilMs, reasons, by } = page;
    const lengths = new Set([networks.length, untilMs.length, reasons.length, by.length]);
    pages += 1;
    if (lengths.size > 1 || pages > maxPages) {
      throw new PluginError('ANSWER_INVALID', {
        happened: `${functionName} listed its bans in a form that cannot be read`,
        expected: `at most ${maxPages} pages of lists of equal length`,
        remedy: 'Correct the function: its signature is good, its content is not.',
      });
    }
    for (const [at, network] of networks.entries()) {
      const until = isoTime(untilMs[at]);
      rows.push({ network, until, by: printable(by[at]), reason: printable(reasons[at]) });
    }
    cursor = page.cursor;
  } while (cursor !== '');
  return rows;
}

/** Of a time in ms; what lies beyond JavaScript's last day is that day. */
function isoTime(ms = 0n): string {
  return new Date(Math.min(Math.max(Number(ms), 0), 8.64e15)).toISOString();
}

/** Nothing that a function says moves the cursor of a terminal. */
function printable(text = ''): string {
  return text.slice(0, 200).replace(/[^ -~]/g, '?');
}
