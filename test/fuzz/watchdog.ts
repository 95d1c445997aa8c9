import { Worker } from 'node:worker_threads';

/** So long may one input take, in looks of the watching thread, one a second. */
const patience = 60;

/** Index 0: how many inputs were begun. 1: is a property being tried? */
const shared = new Int32Array(new SharedArrayBuffer(8));
let watcher: Worker | undefined;

/** An input is begun: what came before it has ended. */
export function inputBegins(): void {
  Atomics.add(shared, 0, 1);
}

/**
 * Watches a test until the returned function is called. A loop without end would hold up the test runner too, which
 * could then say nothing of the input: so the process ends itself, with the test, its seed and the number of the input.
 */
export function watchTest(title: string, seed: number): () => void {
  watcher ??= new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
    workerData: { shared, patience },
  });
  watcher.unref();
  watcher.postMessage(`"${title}", FUZZ_SEED=${seed}`);
  Atomics.store(shared, 0, 0);
  Atomics.store(shared, 1, 1);
  return () => Atomics.store(shared, 1, 0);
}
