import { bucketBoundsS, type Histogram } from './registry.ts';

/** The upper bound, in seconds, of the bucket in which a quantile lies; Infinity beyond the last. NaN for no values. */
export function quantileS({ buckets, count }: Histogram, q: number): number {
  if (count === 0) return Number.NaN;
  let seen = 0;
  for (const [index, inBucket] of buckets.entries()) {
    seen += inBucket;
    if (seen >= q * count) return bucketBoundsS[index] ?? Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}
