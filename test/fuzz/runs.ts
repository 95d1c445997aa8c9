import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, type TestContext } from 'vitest';
import { inputBegins, watchTest } from './watchdog.ts';

/** How many inputs each property gets: 10,000, or FUZZ_RUNS. `npm run fuzz` sets a million. */
export const numRuns = Number(process.env['FUZZ_RUNS'] ?? 10_000);

/**
 * What the inputs are drawn from. `npm test` has the same ones each time, so that it turns red for a change and not
 * by chance; `npm run fuzz` takes others, prints which, and FUZZ_SEED repeats them.
 */
export const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101);

/** A test's time limit: 20 ms an input are plenty for the slowest. */
export const limitMs = Math.max(120_000, numRuns * 20);

/** With fewer inputs, chance decides whether a floor is reached. */
const leastForFloors = 5000;

/** How many inputs are asked about together where one question is dear. */
const batchSize = 500;

/** Counts one input that ended so. */
export type Count = (ending: string) => void;

/** The least share of the inputs that must end so, by ending: a property that refuses all it gets shows nothing. */
export type Floors = Readonly<Record<string, number>>;

/** One property as it was tried, for the closing table. */
export interface Row {
  readonly file: string;
  readonly property: string;
  readonly inputs: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of this process alone; on a machine that is shared, the seconds say little. */
  readonly cpuSeconds: number;
  readonly passed: boolean;
}

/**
 * A test that tries every input by itself: `test('…', fuzz(arbitrary, check, floors), limitMs)`. A failure has seed,
 * path and the smallest counterexample.
 */
export function fuzz<T>(
  inputs: fc.Arbitrary<T>,
  check: (input: T, count: Count) => void | Promise<void>,
  floors: Floors,
): (context: TestContext) => Promise<void> {
  return (context) =>
    kept(context, floors, async (count) => {
      const property = fc.asyncProperty(inputs, async (input) => {
        inputBegins();
        await check(input, count);
      });
      await tried(property, { numRuns, seed });
    });
}

/**
 * The same for checks that are cheap only for many inputs together. When some input of a batch fails, the batch is
 * tried one by one, which names the smallest.
 */
export function fuzzBatches<T>(
  inputs: fc.Arbitrary<T>,
  check: (inputs: readonly T[], count: Count) => Promise<void>,
  floors: Floors,
): (context: TestContext) => Promise<void> {
  return (context) =>
    kept(context, floors, async (count) => {
      for (let done = 0; done < numRuns; done += batchSize) {
        const batch = { numRuns: Math.min(batchSize, numRuns - done), seed: (seed + done) | 0 };
        inputBegins();
        try {
          await check(fc.sample(inputs, batch), count);
        } catch (error) {
          const single = fc.asyncProperty(inputs, async (input) => await check([input], () => undefined));
          await tried(single, batch);
          throw new Error(`only together, from seed ${batch.seed}`, { cause: error });
        }
      }
    });
}

/**
 * Tries a property. Traces of stacks, which the test runner maps line by line, cost as much as all the rest where most
 * inputs end in an error: only the input that fails gets one.
 */
async function tried<T>(property: fc.IAsyncProperty<T>, parameters: fc.Parameters<T>): Promise<void> {
  const usual = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  let found: fc.RunDetails<T>;
  try {
    found = await fc.check(property, parameters);
  } finally {
    Error.stackTraceLimit = usual;
  }
  if (!found.failed) return;
  const path = found.counterexamplePath ?? '';
  await fc.assert(property, { ...parameters, path, endOnFailure: true });
  // it passed when it was tried again: what was found counts
  throw new Error(fc.defaultReportMessage(found) ?? 'it fails', { cause: found.errorInstance });
}

/** `expect(found).toEqual(expected)`, whose cost is paid only where the two differ. */
export function same(found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected);
}

/** Runs a property, keeps its books, and demands its floors. */
async function kept(
  { task }: TestContext,
  floors: Floors,
  run: (count: Count) => Promise<void>,
): Promise<void> {
  const endings = new Map<string, number>();
  const [startedMs, startedCpu] = [performance.now(), process.cpuUsage()];
  let passed = false;
  const unwatch = watchTest(task.name, seed);
  try {
    await run((ending) => endings.set(ending, (endings.get(ending) ?? 0) + 1));
    for (const [ending, share] of numRuns >= leastForFloors ? Object.entries(floors) : []) {
      expect([ending, (endings.get(ending) ?? 0) / numRuns]).toEqual([
        ending,
        expect.toSatisfy((found: number) => found >= share, `at least ${share} of the inputs`),
      ]);
    }
    passed = true;
  } finally {
    unwatch();
    const { user, system } = process.cpuUsage(startedCpu);
    write({
      file: basename(task.file.name, '.test.ts'),
      property: task.name,
      inputs: numRuns,
      endings: Object.fromEntries([...endings].sort(([, a], [, b]) => b - a)),
      seconds: (performance.now() - startedMs) / 1000,
      cpuSeconds: (user + system) / 1e6,
      passed,
    });
  }
}

function write(row: Row): void {
  const file = process.env['FUZZ_ROWS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}
