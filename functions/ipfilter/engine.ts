import { PluginError } from '../../proto/error.ts';
import type { Address } from '../../proto/net/address.ts';
import { wordsOf } from '../../proto/net/words.ts';
import { durationMs } from '../kit/duration.ts';
import { type Context, FunctionError, type Protocol, type Verdict } from '../kit/index.ts';
import { type Column, columnOf, columns, compile } from './compile.ts';
import { type Asked, type Consulted, decide, type Missing, type Outcome, type Policy } from './decide.ts';
import { privateSet } from './private.ts';
import { checkRules, type Rules } from './rules.ts';
import type { Kept } from './source/keep.ts';
import { sourcesOf } from './sources.ts';
import { warningsOf } from './unreachable.ts';

/** A rule list, ready to decide. */
export interface Engine<Env> {
  readonly warnings: readonly string[];
  /**
   * @throws FunctionError unavailable when a rule needs a source of which there has never been a good copy
   */
  verdict(address: Address, protocol: Protocol | '', context: Context<Env>): Promise<Verdict>;
  /**
   * Reads all sources now.
   *
   * @throws FunctionError unavailable when one could not be read; what was held before stays
   */
  reload(context: Context<Env>): Promise<void>;
}

/**
 * Checks and compiles a rule list.
 *
 * @throws PluginError CONFIG_INVALID, naming the place
 */
export function createEngine<Env>(list: Rules): Engine<Env> {
  const rules = checkRules(list);
  const sources = sourcesOf<Env>(list);
  const indexes = compile(rules);
  const policy: Policy = {
    default: list.default,
    ...(list.private && { private: list.private }),
    ...(list.unknown && { unknown: list.unknown }),
    forMs: durationMs(list.for ?? '5m'),
    staleWhileRevalidateMs: durationMs(list.staleWhileRevalidate ?? '0s'),
  };
  const ifError = list.staleIfError && { staleIfErrorMs: durationMs(list.staleIfError) };
  const privates = list.private === undefined ? undefined : privateSet();

  return {
    warnings: [...warningsOf(list, rules, indexes, sources.bundled), ...sources.warnings],
    async verdict(address, protocol, context) {
      const words = wordsOf(address);
      // a source is waited for once: then it has a value, or a problem
      const waited = new Set<string>();
      for (;;) {
        const waiting = new Map<string, Promise<unknown>>();
        const asked = remembering({
          words,
          ...(privates && { privacy: membership(privates.findWords(words)) }),
          list: (name) =>
            consult(sources.lists.get(name), context, waiting, (set) => membership(set.findWords(words))),
          country: () => consult(sources.country, context, waiting, (database) => database.find(words)),
          asn: () => consult(sources.asn, context, waiting, (database) => database.find(words)),
        });
        const column = columnOf(protocol);
        const outcome = decideFor(column, asked);
        if (!('missing' in outcome)) return toVerdict(outcome, column, asked);
        const wait = waiting.get(outcome.missing);
        if (wait === undefined || waited.has(outcome.missing)) {
          throw new FunctionError('unavailable', outcome.missing);
        }
        waited.add(outcome.missing);
        await wait;
      }
    },
    async reload(context) {
      const problems = await sources.refresh(context);
      if (problems.length > 0) throw new FunctionError('unavailable', problems.join('; '));
    },
  };

  function decideFor(column: Column, asked: Asked): Outcome | Missing {
    const index = indexes.get(column);
    if (index === undefined) throw new TypeError(`no rules for the column ${column}`);
    return decide(rules, index, policy, asked);
  }

  /** With the protocols for which the same is decided, in at least as wide a network. */
  function toVerdict(outcome: Outcome, asked: Column, about: Asked): Verdict {
    const decided = new Map([[indexes.get(asked), true]]);
    const same = columns.filter((column) => {
      const index = indexes.get(column);
      const known = decided.get(index) ?? isSame(decideFor(column, about), outcome);
      decided.set(index, known);
      return known;
    });
    const named = same.filter((column): column is Protocol => column !== '' && column !== 'other');
    const isNamed = asked !== '' && asked !== 'other';
    const protocols = same.length === columns.length ? 'all' : isNamed ? named : undefined;
    const { allowed, reason, forMs, staleWhileRevalidateMs, length } = outcome;
    return {
      allowed,
      reason,
      forMs,
      prefixLength: length,
      ...(staleWhileRevalidateMs > 0 && { staleWhileRevalidateMs }),
      ...ifError,
      ...(protocols && { protocols }),
    };
  }
}

/** Does what is decided for another protocol say the same, wherever this does? */
function isSame(other: Outcome | Missing, outcome: Outcome): boolean {
  return (
    !('missing' in other) &&
    other.allowed === outcome.allowed &&
    other.reason === outcome.reason &&
    other.forMs === outcome.forMs &&
    other.staleWhileRevalidateMs === outcome.staleWhileRevalidateMs &&
    other.length <= outcome.length
  );
}

function membership({ inside, length }: { inside: boolean; length: number }): Consulted<boolean> {
  return { value: inside, length };
}

/** Asks what a source holds. Where that is nothing, notes the read to wait for. What it cannot say is missing too. */
function consult<T, V, Env>(
  source: Kept<T, Env> | undefined,
  context: Context<Env>,
  waiting: Map<string, Promise<unknown>>,
  look: (value: T) => Consulted<V>,
): Consulted<V> | Missing {
  if (source === undefined) throw new TypeError('a rule asks for a source that was not checked');
  const held = source.get(context);
  if (held instanceof Promise) {
    waiting.set(source.name, held);
    return { missing: source.name };
  }
  if (held.value === undefined) return { missing: `${source.name}: ${held.problem ?? 'not read'}` };
  let found: Consulted<V>;
  try {
    found = look(held.value);
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { missing: `${source.name}: ${error.happened}` };
  }
  const { brokenSinceMs: sinceMs } = held;
  return sinceMs === undefined ? found : { ...found, stale: { name: source.name, sinceMs } };
}

/** Asks each source once for all columns: a refresh in between must not tear one verdict. */
function remembering(asked: Asked): Asked {
  const lists = new Map<string, ReturnType<Asked['list']>>();
  let country: ReturnType<Asked['country']> | undefined;
  let asn: ReturnType<Asked['asn']> | undefined;
  return {
    ...asked,
    list(name) {
      const said = lists.get(name) ?? asked.list(name);
      lists.set(name, said);
      return said;
    },
    country: () => (country ??= asked.country()),
    asn: () => (asn ??= asked.asn()),
  };
}
