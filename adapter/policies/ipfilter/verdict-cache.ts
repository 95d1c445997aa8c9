import { parseScope } from '../../../proto/facts.ts';
import { parseAddress } from '../../../proto/net/address.ts';
import { contains, type Prefix, parsePrefix, prefixOf } from '../../../proto/net/prefix.ts';
import type { Call, Facts, Policy } from '../../shapes.ts';
import { cache } from '../shared/cache.ts';
import type { PolicyTools } from '../tools.ts';
import type { IpfilterSection } from './config.ts';
import { askedAddress } from './local-verdicts.ts';
import { ProtocolBits } from './protocols.ts';
import { type Question, type ScopedLifetime, ScopeStore } from './scope-store.ts';

/** A ban lifted or imposed at the edge reaches every host within this time. */
const maxFreshMs = 300_000;

/** What of an answer was cut or refused: `scope` was refused whole. */
type Clamp = 'scope' | 'width' | 'max-age' | 'stale-while-revalidate' | 'stale-if-error';

/** One address: what an answer without a scope is about. */
function single({ address }: Question): Prefix {
  return prefixOf(address, address.family === 4 ? 32 : 128);
}

/**
 * The memory of verdicts: a longest-prefix map for each set of protocols. The function says in plugin-scope and
 * plugin-cache for whom and how long a verdict holds; here that is clamped, and an answer whose scope does not hold
 * the very address and protocol that was asked about is used once and not kept.
 *
 * One flight for each address and protocol: what an answer is about is only known when it is there.
 */
export function verdictCache(section: IpfilterSection['cache'], tools?: PolicyTools): Policy {
  const protocols = new ProtocolBits();
  const { entries: maxEntries, bytes: maxBytes, widestScope, staleIfError: maxStaleMs } = section;

  const clamped = (what: Clamp) => tools?.count?.('ipfilter_clamped', { what });

  function scopeOf(
    question: Question,
    text: string | undefined,
  ): Pick<ScopedLifetime, 'prefix' | 'protocols'> | undefined {
    if (text === undefined) return { prefix: single(question), protocols: question.protocol };
    const parsed = parseScope(text);
    const prefix = parsed && prefixFrom(parsed.prefix);
    const named = protocols.named(parsed?.protocols);
    if (!prefix || !contains(prefix, single(question)) || (named & question.protocol) === 0) {
      clamped('scope');
      return undefined;
    }
    const widest = prefix.family === 4 ? widestScope.ipv4 : widestScope.ipv6;
    if (prefix.length >= widest) return { prefix, protocols: named };
    clamped('width');
    return { prefix: prefixOf(question.address, widest), protocols: named };
  }

  function atMost(limitMs: number, askedMs: number, what: Clamp): number {
    if (askedMs > limitMs) clamped(what);
    return Math.min(askedMs, limitMs);
  }

  const store = maxEntries > 0 && maxBytes > 0 ? new ScopeStore({ maxEntries, maxBytes }) : undefined;
  return cache({
    store,
    count: (outcome) => tools?.count?.('ipfilter_cache', { outcome }),
    key(call: Call): Question | undefined {
      const asked = askedAddress(call);
      const address = asked && parseAddress(asked.ip);
      if (!address) return undefined;
      const text = address.family === 4 ? address.bits : address.groups;
      return {
        id: `${address.family}${text} ${asked.protocol}`,
        address,
        protocol: protocols.of(asked.protocol),
      };
    },
    lifetime(question, facts: Facts): ScopedLifetime | undefined {
      if (store === undefined || facts.freshMs === undefined) return undefined;
      const scope = scopeOf(question, facts.scope);
      if (scope === undefined) return undefined;
      return {
        ...scope,
        freshMs: atMost(maxFreshMs, facts.freshMs, 'max-age'),
        staleWhileRevalidateMs: atMost(
          maxFreshMs,
          facts.staleWhileRevalidateMs ?? 0,
          'stale-while-revalidate',
        ),
        staleIfErrorMs: atMost(maxStaleMs, facts.staleMs ?? maxStaleMs, 'stale-if-error'),
      };
    },
  });
}

function prefixFrom(text: string): Prefix | undefined {
  try {
    return parsePrefix(text);
  } catch {
    return undefined;
  }
}
