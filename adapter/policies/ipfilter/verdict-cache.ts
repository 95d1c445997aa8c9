import { parseScope } from '../../../proto/facts.ts';
import { formatAddress, parseAddress } from '../../../proto/net/address.ts';
import { contains, parsePrefix, prefixOf } from '../../../proto/net/prefix.ts';
import type { Call, Facts, Policy } from '../../shapes.ts';
import { cache, type Lifetime } from '../shared/cache.ts';
import type { IpfilterSection } from './config.ts';
import { askedAddress } from './local-verdicts.ts';

/** A ban lifted or imposed at the edge reaches every host within this time. */
const maxFreshMs = 300_000;

/** Does the signed scope speak about the very address and protocol that was asked? */
function inScope(call: Call, scope: string): boolean {
  const asked = askedAddress(call);
  const address = asked && parseAddress(asked.ip);
  const parsed = parseScope(scope);
  if (!address || !parsed) return false;
  if (parsed.protocols && !parsed.protocols.includes(asked.protocol)) return false;
  try {
    return contains(parsePrefix(parsed.prefix), prefixOf(address, address.family === 4 ? 32 : 128));
  } catch {
    return false;
  }
}

/**
 * The memory of verdicts: one entry for each address and protocol. The function says in plugin-cache how long a
 * verdict holds; here that is clamped, and an answer that speaks about another address is not kept.
 */
export function verdictCache(section: IpfilterSection['cache']): Policy {
  return cache({
    maxEntries: section.entries,
    key(call) {
      const asked = askedAddress(call);
      const address = asked && parseAddress(asked.ip);
      return address && `${formatAddress(address)} ${asked.protocol}`;
    },
    lifetime(call: Call, facts: Facts): Lifetime | undefined {
      if (facts.freshMs === undefined) return undefined;
      if (facts.scope !== undefined && !inScope(call, facts.scope)) return undefined;
      return {
        freshMs: Math.min(facts.freshMs, maxFreshMs),
        staleWhileRevalidateMs: Math.min(facts.staleWhileRevalidateMs ?? 0, maxFreshMs),
        staleIfErrorMs: Math.min(facts.staleMs ?? section.staleIfError, section.staleIfError),
      };
    },
  });
}
