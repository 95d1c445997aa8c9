import type { Address } from '../../proto/net/address.ts';
import type { Context, Protocol, Verdict } from '../kit/index.ts';

/**
 * What a check says that has nothing against an address, and how far that reaches. Everything absent: it was
 * looked up for this one address and the protocol that was asked about.
 */
export interface Passed {
  readonly passed: {
    /** It holds for every address with the same leading bits. */
    readonly prefixLength?: number;
    /** It holds for every protocol. */
    readonly protocols?: 'all';
    /** The verdict that follows may be reused no longer than this, in ms. */
    readonly forMs?: number;
  };
}

/**
 * A question that comes before the rules: bans, for example. A verdict ends the matter, {@link Passed} and
 * undefined leave it to the next check and then to the rules. What it throws counts as "unavailable".
 *
 * The scope and the lifetime of the final verdict are the narrowest of all that had a say: a check that
 * answers undefined for each address makes every verdict one for a single address.
 */
export type Check<Env = unknown> = (
  address: Address,
  protocol: Protocol | '',
  context: Context<Env>,
) => Verdict | Passed | undefined | Promise<Verdict | Passed | undefined>;

/** Asks the checks in their order. The verdict of one of them is narrowed to what those before it vouch for. */
export async function runChecks<Env>(
  checks: readonly Check<Env>[],
  address: Address,
  protocol: Protocol | '',
  context: Context<Env>,
): Promise<{ readonly verdict: Verdict } | { readonly limits: readonly Passed['passed'][] }> {
  const single = address.family === 4 ? 32 : 128;
  const limits: Passed['passed'][] = [];
  for (const check of checks) {
    const said = await check(address, protocol, context);
    if (said !== undefined && !('passed' in said)) return { verdict: narrowed(said, limits, protocol) };
    limits.push({ prefixLength: single, ...said?.passed });
  }
  return { limits };
}

/** Narrows a verdict to what the checks before it vouch for. */
export function narrowed(
  verdict: Verdict,
  limits: readonly Passed['passed'][],
  asked: Protocol | '',
): Verdict {
  return limits.reduce<Verdict>((narrow, { prefixLength, protocols, forMs }) => {
    const { protocols: held, ...rest } = narrow;
    const kept = protocols === 'all' ? held : asked === '' ? undefined : [asked];
    return {
      ...rest,
      ...(kept === undefined ? {} : { protocols: kept }),
      ...shortened(narrow, forMs),
      ...(narrow.prefixLength === undefined || prefixLength === undefined
        ? {}
        : { prefixLength: Math.max(narrow.prefixLength, prefixLength) }),
    };
  }, verdict);
}

/** Within the limit lies also the time in which a verdict is used once more while the function is asked again. */
function shortened(
  { forMs, staleWhileRevalidateMs }: Verdict,
  limitMs: number | undefined,
): Partial<Verdict> {
  if (limitMs === undefined) return {};
  const leftMs = Math.max(limitMs - (forMs ?? 0), 0);
  return {
    ...(forMs === undefined ? {} : { forMs: Math.min(forMs, limitMs) }),
    ...(staleWhileRevalidateMs === undefined
      ? {}
      : { staleWhileRevalidateMs: Math.min(staleWhileRevalidateMs, leftMs) }),
  };
}
