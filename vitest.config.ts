import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * `unit` is what `npm run check` runs; the others need built artifacts, Go or workerd, or
 * seconds (`*.slow.test.ts`): see test/run.ts.
 */
export default defineConfig({
  test: {
    // by default one core is left to the watcher: half of a small machine
    maxWorkers: availableParallelism(),
    projects: [
      {
        test: {
          name: 'unit',
          // these tests keep no module state and mock no module: one import for all files halves the run
          isolate: false,
          include: ['{proto,adapter,functions,infra}/**/*.test.ts', 'test/mutations/*.test.ts'],
          exclude: ['**/*.slow.test.ts', '**/node_modules/**'],
          // the longest takes half a second, and a busy machine is no defect; less than the 10 s that a call of a test has
          testTimeout: 9_000,
        },
      },
      {
        test: {
          name: 'e2e',
          exclude: ['**/node_modules/**'],
          include: [
            'test/{runtimes,demo,host,journeys,deploy,faults,fuzz}/**/*.test.ts',
            '{proto,adapter,functions,infra}/**/*.slow.test.ts',
          ],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
