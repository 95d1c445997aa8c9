import { pathToFileURL } from 'node:url';
import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { KeyRing, VerifyingKey } from '../../../proto/signature/port.ts';
import type { Target } from '../../shapes.ts';
import { maxAnswerBytes } from '../https/send.ts';
import { readLockedBundle } from './bundle.ts';
import type { LocalOptions } from './index.ts';
import { localSettings } from './settings.ts';
import { type FunctionThread, missed, startThread } from './thread.ts';

const mebibyte = 1024 * 1024;
const defaultHeapMiB = 256;
const startMs = 10_000;
const defaultSilenceMs = 3000;
const firstBackoffMs = 100;
const maxBackoffMs = 10_000;
/** A thread that lived so long does not count as one that crashes at once. */
const steadyMs = 10_000;
const closeGraceMs = 3000;
/** An unmended failure to start is logged again after this. */
const repeatMs = 60_000;

interface Running {
  readonly thread: FunctionThread;
  readonly key: VerifyingKey;
  readonly version: string;
}

/**
 * The way to a function in a thread of this process: started at once, and again at the next call after it ended; the
 * first time at once, then after a growing pause. At each start the bundle is read, hashed and compared anew.
 */
export function localTarget(
  functionName: string,
  locked: LockedFunction,
  file: string,
  options: LocalOptions,
): { target: Target; ownKeys: KeyRing } {
  const { caller, config, log, silenceMs = defaultSilenceMs } = options;
  let running: Promise<Running> | undefined;
  let key: VerifyingKey | undefined;
  let backoffMs = 0;
  let failure: { error: PluginError; retryMs: number } | undefined;
  let logged = { message: '', atMs: Number.NEGATIVE_INFINITY };
  let closed = false;

  async function start(): Promise<Running> {
    const { bytes, accepted } = await readLockedBundle(functionName, locked, file);
    const { env, key: newKey } = localSettings(functionName, accepted, caller);
    const startedMs = performance.now();
    const thread = startThread({
      functionName,
      data: {
        code: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
        url: pathToFileURL(file).href,
        env,
        maxAnswerBytes,
      },
      heapMiB: config === undefined ? defaultHeapMiB : config.memory / mebibyte,
      startMs,
      silenceMs,
      log,
    });
    await thread.ready;
    key = newKey;
    void thread.ended.then((reason) => {
      running = undefined;
      if (closed) return;
      if (performance.now() - startedMs > steadyMs) backoffMs = 0;
      log.error('a local function ended and is started again', { function: functionName, reason });
      if (backoffMs > 0) fail(crashed(functionName, reason));
      backoffMs = Math.min(maxBackoffMs, Math.max(firstBackoffMs, backoffMs * 2));
    });
    return { thread, key: newKey, version: accepted.version };
  }

  function fail(error: PluginError): void {
    failure = { error, retryMs: performance.now() + Math.max(firstBackoffMs, backoffMs) };
  }

  function ensure(): Promise<Running> {
    if (running !== undefined) return running;
    if (failure !== undefined && performance.now() < failure.retryMs) return Promise.reject(failure.error);
    running = start().catch((error: unknown) => {
      running = undefined;
      backoffMs = Math.min(maxBackoffMs, Math.max(firstBackoffMs, backoffMs * 2));
      if (error instanceof PluginError) {
        fail(error);
        report(error);
      }
      throw error;
    });
    return running;
  }

  function report(error: PluginError): void {
    const atMs = performance.now();
    if (logged.message === error.message && atMs - logged.atMs < repeatMs) return;
    logged = { message: error.message, atMs };
    log.error(error.message, { function: functionName, code: error.code });
  }

  ensure().catch(() => undefined);

  return {
    ownKeys: (keyid) => (key?.keyid === keyid ? key : undefined),
    target: {
      origin: () => `https://${functionName.replace(/@.*/, '')}.local.invalid`,
      async send(message, _pin, signal) {
        const { thread, version } = await inTime(ensure(), signal, functionName);
        return { ...(await thread.call(message, signal)), executed: version };
      },
      async close() {
        closed = true;
        await running?.then(
          ({ thread }) => thread.close(closeGraceMs),
          () => undefined,
        );
      },
    },
  };
}

/** A start may take longer than one call: the call gives up, the start goes on. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal, functionName: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(missed(functionName));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function crashed(functionName: string, reason: string): PluginError {
  return new PluginError('UNREACHABLE', {
    happened: `${functionName} crashes again and again; the last time ${reason}`,
    expected: 'a function that stays up',
    remedy: 'Correct the function: its own output is in the log. It is started again after a pause.',
  });
}
