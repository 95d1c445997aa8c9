import { PluginError } from '../../../proto/error.ts';
import type { Call, Policy } from '../../shapes.ts';
import { HostGaveUpError } from './deadline.ts';

/** What a role may have open, and how long its queue may be. */
export interface Limits {
  /** Requests under way to the function: as many as a target keeps connections. */
  readonly maxInFlight: number;
  /** Of these, how many one RPC may take: the others must come through while one is flooded. */
  readonly maxOfOneRpc: number;
  /** Calls that wait for their turn. */
  readonly maxQueued: number;
  /** Bytes that waiting calls may hold: users are megabytes where they are large. */
  readonly maxQueuedBytes: number;
  /** A call waits at most so long, ms, and at most half of the time it has. */
  readonly maxWaitMs: number;
}

/** SFTPGo sends up to 250 events at once; everything else comes from clients, who may be many. */
export const defaultLimits: Limits = {
  maxInFlight: 256,
  maxOfOneRpc: 192,
  maxQueued: 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxWaitMs: 5000,
};

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
  readonly shed: (error: PluginError) => void;
}

/** The calls of one RPC. */
interface Line {
  inFlight: number;
  readonly waiting: Set<Waiting>;
}

/**
 * Bounds what a role asks of its function at one time. A call above the bound waits; one too many, or one that waited
 * too long, is shed with OVERLOADED, which denies an ipfilter's question whatever `onUnavailable` says. RPCs take turns,
 * and when the queue is full the longest line loses its newest call.
 *
 * Stands below the cache, whose answers cost nothing; below the breaker, so that a function which is away is answered
 * for at once and not after a turn, and which counts a shed call neither way; and above the deadline.
 */
export function limit(options: Partial<Limits> = {}): Policy {
  const limits = { ...defaultLimits, ...options };
  const lines = new Map<string, Line>();
  let inFlight = 0;
  let queued = 0;
  let queuedBytes = 0;

  const lineOf = (rpc: string): Line => {
    let line = lines.get(rpc);
    if (line === undefined) {
      line = { inFlight: 0, waiting: new Set() };
      lines.set(rpc, line);
    }
    return line;
  };
  const mayStart = (line: Line) => inFlight < limits.maxInFlight && line.inFlight < limits.maxOfOneRpc;

  function take(line: Line): void {
    inFlight += 1;
    line.inFlight += 1;
  }

  function leave(line: Line, waiting: Waiting): boolean {
    if (!line.waiting.delete(waiting)) return false;
    queued -= 1;
    queuedBytes -= waiting.bytes;
    return true;
  }

  /** One call of each line in turn, as long as there is room: so who waits could not start, and is not overtaken. The line that was served goes to the end. */
  function next(): void {
    for (const [rpc, line] of lines) {
      const [first] = line.waiting;
      if (first === undefined || !mayStart(line)) continue;
      lines.delete(rpc);
      lines.set(rpc, line);
      leave(line, first);
      take(line);
      first.start();
      if (queued > 0) next();
      return;
    }
  }

  /** Makes room by shedding the newest call of the longest line, unless that is the one that asks. */
  function makeRoom(asking: Line): boolean {
    const longest = [...lines.values()].reduce((a, b) => (b.waiting.size > a.waiting.size ? b : a), asking);
    if (longest.waiting.size <= asking.waiting.size + 1) return false;
    const newest = [...longest.waiting].at(-1);
    if (newest === undefined) return false;
    leave(longest, newest);
    newest.shed(new ShedError());
    return true;
  }

  /** Resolves when it is this call's turn. */
  async function turn(call: Call, line: Line): Promise<void> {
    if (mayStart(line)) {
      take(line);
      return;
    }
    const bytes = bytesOf(call);
    const full = () => queued >= limits.maxQueued || queuedBytes + bytes > limits.maxQueuedBytes;
    while (full()) if (!makeRoom(line)) throw new ShedError();
    const waitMs = Math.min(limits.maxWaitMs, Math.max(0, call.deadlineMs - performance.now()) / 2);
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        call.signal.removeEventListener('abort', gaveUp);
      };
      const waiting: Waiting = {
        bytes,
        start: () => {
          end();
          resolve();
        },
        shed: (error) => {
          end();
          reject(error);
        },
      };
      const quit = (error: PluginError) => {
        if (leave(line, waiting)) waiting.shed(error);
      };
      const gaveUp = () => quit(new HostGaveUpError(call.method.name));
      const timer = setTimeout(() => quit(new ShedError()), waitMs);
      call.signal.addEventListener('abort', gaveUp, { once: true });
      line.waiting.add(waiting);
      queued += 1;
      queuedBytes += bytes;
      if (call.signal.aborted) gaveUp();
    });
  }

  return {
    name: 'limit',
    wrap: (handler) => async (call) => {
      const line = lineOf(call.method.name);
      await turn(call, line);
      try {
        return await handler(call);
      } finally {
        inFlight -= 1;
        line.inFlight -= 1;
        next();
      }
    },
  };
}

/** OVERLOADED because of other calls: the function was not asked, so this says nothing about it. */
export class ShedError extends PluginError {
  override readonly name = 'ShedError';

  constructor() {
    super('OVERLOADED', {
      happened: 'more calls wait for the function than can be answered in time',
      expected: 'a function that answers as fast as it is asked',
      remedy: 'Give the function more concurrency or make it faster; look for a client that floods SFTPGo.',
    });
  }
}

/** An element of a list or a map: its place there and the head of its value. */
const elementBytes = 32;

/** What a waiting call holds: users, secrets, answers and events, as bytes, texts, lists and maps, and something for the rest. */
function bytesOf({ method, input }: Call): number {
  let bytes = 1024;
  for (const { localName } of method.input.fields) {
    bytes += held((input as unknown as Readonly<Record<string, unknown>>)[localName]);
  }
  for (const { data } of input.$unknown ?? []) bytes += data.byteLength;
  return bytes;
}

function held(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = 0;
  if (Array.isArray(value)) for (const element of value) bytes += elementBytes + held(element);
  else for (const [key, element] of Object.entries(value)) bytes += elementBytes + key.length + held(element);
  return bytes;
}
