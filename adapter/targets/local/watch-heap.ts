import type { Worker } from 'node:worker_threads';

const pollMs = 50;
const mebibyte = 1024 * 1024;

/**
 * The limit that V8 itself gets, in MiB: far above the one that {@link watchHeap} keeps. Where V8 meets its own limit
 * in the middle of a large or a tight allocation, it ends the whole process and not the thread: with resourceLimits
 * alone, 7 of 10 ways to fill a heap did so under Node 24.
 */
export function hardLimitMiB(heapMiB: number, worker: typeof Worker): number {
  return canWatch(worker) ? Math.max(1024, heapMiB * 4) : heapMiB;
}

/** Node 22.16 and 24.0 brought getHeapStatistics; before, V8's own limit is all there is. */
function canWatch(worker: typeof Worker): boolean {
  return typeof worker.prototype.getHeapStatistics === 'function';
}

/**
 * Looks at a thread's heap while it is busy, from outside, also in the middle of a loop; calls `exceed` once the heap
 * is larger than `heapMiB`. Returns a function to tell it whether the thread has work.
 */
export function watchHeap(worker: Worker, heapMiB: number, exceed: () => void): (busy: boolean) => void {
  let online = false;
  let busy = false;
  let timer: NodeJS.Timeout | undefined;
  async function look(): Promise<void> {
    const { used_heap_size: usedBytes } = await worker.getHeapStatistics();
    if (usedBytes > heapMiB * mebibyte) exceed();
    else if (busy) timer = setTimeout(() => void look().catch(stop), pollMs).unref();
    else timer = undefined;
  }
  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
  }
  function begin(): void {
    if (!online || !busy || timer !== undefined) return;
    timer = setTimeout(() => void look().catch(stop), pollMs).unref();
  }
  // asked before it is online, a thread never answers
  worker.once('online', () => {
    online = true;
    begin();
  });
  worker.once('exit', () => {
    busy = false;
    stop();
  });
  return (isBusy) => {
    busy = isBusy && typeof worker.getHeapStatistics === 'function';
    begin();
  };
}
