import { parseBanNetwork } from '../../../proto/bans/network.ts';
import type { InputOf } from '../../../proto/codec.ts';
import { PluginError } from '../../../proto/error.ts';
import { formatReason } from '../../../proto/facts.ts';
import { bansService } from '../../../proto/gen/wire.ts';
import { parseAddress } from '../../../proto/net/address.ts';
import { contains, formatPrefix, type Prefix, prefixOf } from '../../../proto/net/prefix.ts';
import { type Context, FunctionError } from '../../kit/index.ts';
import type { Caller, FurtherService, Rpc } from '../../kit/plugin.ts';
import type { CheckedBans } from './options.ts';

/** The most bans of one page, and what a page has that does not say. */
const maxPage = 1000;

/** The service `sftpgo.Bans` over checked options. */
export function bansOver<Env>(options: CheckedBans<Env>): FurtherService<Env> {
  const { store, maxForMs, rate } = options;
  const { add, report, list, remove } = bansService.methods;
  const may = (caller: Caller, what: 'report' | 'manage') => {
    if (!caller.reporter)
      throw new FunctionError('permission_denied', `${caller.keyid} is not in PLUGIN_REPORTERS`);
    // the key of a function that was broken into shall not lift bans, nor read them
    if (what === 'manage' && !caller.adapter)
      throw new FunctionError('permission_denied', 'that is for adapters');
  };
  const rpcs: Record<string, Rpc<Env>> = {
    [add.name]: {
      table: add,
      async run(input: InputOf<typeof add>, context, _, __, caller) {
        may(caller, 'report');
        const network = networkOf(input.network, options);
        const nowMs = Date.now();
        const forMs = Math.min(Number(input.forMs), maxForMs);
        if (forMs < 1000) throw new FunctionError('invalid_argument', 'a ban takes a second at least');
        const ban = { network, untilMs: nowMs + forMs, reason: formatReason(input.reason), by: caller.keyid };
        const held = await openAt(context).add(ban, context.id, nowMs);
        context.log.info('banned', { network, until: isoTime(held.untilMs), by: caller.keyid });
        return { output: { network: held.network, untilMs: BigInt(held.untilMs) } };
      },
    },
    [report.name]: {
      table: report,
      async run(input: InputOf<typeof report>, context, _, __, caller) {
        may(caller, 'report');
        const address = parseAddress(input.ip);
        if (address === undefined) throw new FunctionError('invalid_argument', 'ip is not an address');
        const network = rate === undefined ? undefined : prefixOf(address, rate.length[address.family]);
        const ignored =
          rate === undefined ||
          network === undefined ||
          rate.of === 'checks' ||
          rate.protocols?.includes(input.protocol) === false ||
          overlaps(network, options.never);
        if (ignored) return { output: {} };
        const text = formatPrefix(network);
        const { count, ban } = await openAt(context).count(
          text,
          formatReason(input.reason),
          rate,
          context.id,
          Date.now(),
        );
        if (ban) context.log.info('banned by its rate', { network: text, until: isoTime(ban.untilMs) });
        return { output: { network: text, count, untilMs: BigInt(ban?.untilMs ?? 0) } };
      },
    },
    [list.name]: {
      table: list,
      async run(input: InputOf<typeof list>, context, _, __, caller) {
        may(caller, 'manage');
        const limit = input.limit > 0 ? Math.min(input.limit, maxPage) : maxPage;
        const { bans, cursor } = await openAt(context).page(input.cursor, limit, Date.now());
        return {
          output: {
            networks: bans.map(({ network }) => network),
            untilMs: bans.map(({ untilMs }) => BigInt(untilMs)),
            reasons: bans.map(({ reason }) => reason),
            by: bans.map(({ by }) => by),
            cursor,
          },
        };
      },
    },
    [remove.name]: {
      table: remove,
      async run(input: InputOf<typeof remove>, context, _, __, caller) {
        may(caller, 'manage');
        const network = formatPrefix(prefixFrom(input.network));
        const removed = await openAt(context).remove(network, context.id, Date.now());
        if (removed) context.log.info('no longer banned', { network, by: caller.keyid });
        return { output: { removed } };
      },
    },
  };
  return {
    rpcs,
    callers:
      ({ callers, reporters }) =>
      (keyid) =>
        callers(keyid) ?? reporters(keyid),
  };

  function openAt({ env, log }: Context<Env>) {
    return store.open(env, log);
  }
}

/** Is any part of the network, or the whole of it, in one of these? */
export function overlaps(network: Prefix, others: readonly Prefix[]): boolean {
  return others.some((other) => contains(other, network) || contains(network, other));
}

function networkOf<Env>(text: string, { never, lengths }: CheckedBans<Env>): string {
  const prefix = prefixFrom(text);
  const held = lengths[prefix.family];
  if (!held.includes(prefix.length)) {
    throw new FunctionError('invalid_argument', `this store holds prefixes of ${held.join(', ')} bits`);
  }
  if (overlaps(prefix, never))
    throw new FunctionError('invalid_argument', 'that network is never banned here');
  return formatPrefix(prefix);
}

function prefixFrom(text: string): Prefix {
  try {
    return parseBanNetwork(text);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new FunctionError('invalid_argument', `${error.happened}; expected ${error.expected}`);
  }
}

/** As people read it in a log, to the second. */
export function isoTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
