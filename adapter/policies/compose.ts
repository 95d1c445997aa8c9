import type { Handler, Policy } from '../shapes.ts';

/** `compose([a, b], c)` is `a(b(c))`: the first policy sees the call first. */
export function compose(policies: readonly Policy[], innermost: Handler): Handler {
  return policies.reduceRight<Handler>((next, policy) => policy.wrap(next), innermost);
}
