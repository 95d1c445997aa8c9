import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** Counts its own looks and not the clock: a machine that was stopped for a while is no hang. */
const { shared, patience }: { shared: Int32Array; patience: number } = workerData;
let what = '';
let last = -1;
let looks = 0;

parentPort?.on('message', (text: string) => {
  what = text;
});
setInterval(() => {
  const begun = Atomics.load(shared, 0);
  looks = Atomics.load(shared, 1) === 1 && begun === last ? looks + 1 : 0;
  last = begun;
  if (looks < patience) return;
  writeSync(2, `${what}: input ${begun}, or its batch, takes more than ${patience} s\n`);
  process.kill(process.pid, 'SIGKILL');
}, 1000);
