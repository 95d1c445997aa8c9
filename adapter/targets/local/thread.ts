import { Worker } from 'node:worker_threads';
import { PluginError } from '../../../proto/error.ts';
import type { Log } from '../../invoke/connection.ts';
import type { HttpAnswer, HttpMessage } from '../../shapes.ts';
import { UnreachableError } from '../https/send.ts';
import { logOutput } from './log-output.ts';
import { type FromThread, runThread, type ThreadData, type ToThread } from './runner.ts';
import { hardLimitMiB, watchHeap } from './watch-heap.ts';

export interface ThreadOptions {
  /** For messages and the log: `name@stage`. */
  readonly functionName: string;
  readonly data: ThreadData;
  /** JavaScript heap; what is over it ends the thread and nothing else. */
  readonly heapMiB: number;
  /** A module that is not loaded within this is given up. */
  readonly startMs: number;
  /** After a missed deadline: a thread that says nothing for so long is stuck, and ended. */
  readonly silenceMs: number;
  readonly log: Log;
}

/** A bundle that runs in a thread of its own. */
export interface FunctionThread {
  /** Resolves when the bundle is loaded; rejects with UNREACHABLE. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the thread is gone, whatever ended it. */
  readonly ended: Promise<string>;
  /** Throws UNREACHABLE (with `notExecuted` where the call had not begun) or DEADLINE. */
  call(message: HttpMessage, signal: AbortSignal): Promise<HttpAnswer>;
  /** Lets calls and `waitUntil` work end, for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

interface Pending {
  begun: boolean;
  resolve(answer: HttpAnswer): void;
  reject(error: PluginError): void;
}

/** Starts a thread. It gets nothing of the process's environment, arguments or standard streams. */
export function startThread(options: ThreadOptions): FunctionThread {
  const { functionName, log, silenceMs } = options;
  const worker = new Worker(`(${runThread})()`, {
    eval: true,
    name: functionName,
    workerData: options.data,
    env: {},
    argv: [],
    execArgv: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    stdin: false,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: hardLimitMiB(options.heapMiB, Worker) },
  });
  worker.unref();
  logOutput(worker.stdout, { functionName, level: 'info', log });
  logOutput(worker.stderr, { functionName, level: 'warn', log });

  const pending = new Map<number, Pending>();
  let nextId = 0;
  let heardMs = performance.now();
  let reason: string | undefined;
  let watch: NodeJS.Timeout | undefined;
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  ready.promise.catch(() => undefined);

  const unreachable = (what: string, notExecuted: boolean) =>
    new UnreachableError(`${functionName}: ${what}`, notExecuted, undefined, {
      expected: 'a function that loads, answers and stays up',
      remedy: 'Correct the function: what it prints is in the log of the adapter.',
    });
  const post = (message: ToThread) => worker.postMessage(message);

  const outOfHeap = `its thread needed more than ${options.heapMiB} MiB of heap`;
  const tellBusy = watchHeap(worker, options.heapMiB, () => void end(outOfHeap));
  tellBusy(true);

  async function end(why: string): Promise<void> {
    reason ??= why;
    await worker.terminate();
  }

  function settle(id: number): Pending | undefined {
    const call = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) {
      worker.unref();
      tellBusy(false);
    }
    return call;
  }

  /** Asks a thread that missed a deadline for a sign of life; a busy one gives it between two calls. */
  function watchSilence(): void {
    if (watch !== undefined) return;
    const askedMs = performance.now();
    heardMs = Math.min(heardMs, askedMs);
    post({ type: 'ping' });
    const look = () => {
      if (heardMs > askedMs) watch = undefined;
      else void end(`its thread did not respond for ${silenceMs} ms: an endless loop?`);
    };
    // what the thread has said is taken in before it is called silent: this thread may have been the busy one
    watch = setTimeout(() => setImmediate(look), silenceMs).unref();
  }

  const startTimer = setTimeout(() => void end('its module was not loaded in time'), options.startMs);

  worker.on('message', (message: unknown) => {
    heardMs = performance.now();
    if (!isFromRunner(message)) return;
    switch (message.type) {
      case 'ready':
        clearTimeout(startTimer);
        tellBusy(pending.size > 0);
        ready.resolve();
        return;
      case 'unusable':
        void end(`its module cannot be loaded (${message.reason.slice(0, 500)})`);
        return;
      case 'begun': {
        const call = pending.get(message.id);
        if (call) call.begun = true;
        return;
      }
      case 'answer':
        settle(message.id)?.resolve(message);
        return;
      case 'failed':
        settle(message.id)?.reject(unreachable(message.reason.slice(0, 500), false));
    }
  });
  worker.on('error', (error: unknown) => {
    const { code, message = String(error) } = Object(error) as { code?: string; message?: string };
    reason ??=
      code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? outOfHeap
        : `its thread ended by an uncaught error (${message.slice(0, 500)})`;
  });
  worker.on('exit', (exitCode) => {
    reason ??= `its thread exited with code ${exitCode}`;
    clearTimeout(startTimer);
    clearTimeout(watch);
    ready.reject(unreachable(reason, true));
    for (const { begun, reject } of pending.values()) reject(unreachable(reason, !begun));
    pending.clear();
    ended.resolve(reason);
  });

  return {
    ready: ready.promise,
    ended: ended.promise,
    async call(message, signal) {
      const id = nextId;
      nextId += 1;
      const answer = Promise.withResolvers<HttpAnswer>();
      if (reason !== undefined) throw unreachable(reason, true);
      const giveUp = () => {
        settle(id)?.reject(missed(functionName));
        watchSilence();
      };
      signal.throwIfAborted();
      pending.set(id, { begun: false, resolve: answer.resolve, reject: answer.reject });
      worker.ref();
      tellBusy(true);
      signal.addEventListener('abort', giveUp, { once: true });
      try {
        post({ type: 'call', id, ...message });
        return await answer.promise;
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
    async close(graceMs) {
      reason ??= 'its thread was closed';
      post({ type: 'end' });
      const timer = setTimeout(() => void worker.terminate(), graceMs);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}

/** The bundle can use the thread's port too: what else it says must not end the adapter by an uncaught error. */
function isFromRunner(message: unknown): message is FromThread {
  const { type, reason } = Object(message) as Readonly<Record<string, unknown>>;
  return type === 'failed' || type === 'unusable' ? typeof reason === 'string' : typeof type === 'string';
}

/** What a call ends with when its time is over. */
export function missed(functionName: string): PluginError {
  return new PluginError('DEADLINE', {
    happened: `${functionName} did not answer in time`,
    expected: 'an answer within the deadline',
    remedy: 'Look for a slow function, or raise the timeout of the section.',
  });
}
