import fc from 'fast-check';

/**
 * How many inputs each property gets: 10,000, or FUZZ_RUNS. `npm run fuzz` sets a million. The seed is printed with a
 * failure; FUZZ_SEED repeats it.
 */
export const numRuns = Number(process.env['FUZZ_RUNS'] ?? 10_000);

const seed = process.env['FUZZ_SEED'];

/** For `fc.assert`. */
export const parameters = {
  numRuns,
  ...(seed === undefined ? {} : { seed: Number(seed) }),
};

/** A test's time limit: 20 ms an input are plenty for the slowest. */
export const limitMs = Math.max(120_000, numRuns * 20);

/** Bytes that were good, and what may happen to them on the way. */
export function damaged(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat({ max: Math.max(0, good.length - 1) });
  const change = fc.oneof(
    fc.record({ at, byte: fc.nat({ max: 255 }) }).map(({ at, byte }) => {
      const bytes = Uint8Array.from(good);
      bytes[at] = byte;
      return bytes;
    }),
    at.map((end) => good.slice(0, end)),
    fc.tuple(at, at, at).map(([from, to, into]) => {
      const piece = good.slice(Math.min(from, to), Math.max(from, to));
      return Uint8Array.from([...good.slice(0, into), ...piece, ...good.slice(into)]);
    }),
    fc.tuple(at, fc.uint8Array({ maxLength: 40 })).map(([into, more]) => {
      return Uint8Array.from([...good.slice(0, into), ...more, ...good.slice(into)]);
    }),
  );
  return fc.oneof(
    { weight: 9, arbitrary: change },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2000 }) },
  );
}
