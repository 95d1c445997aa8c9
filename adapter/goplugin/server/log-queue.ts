import { formatLogLine } from './log-line.ts';

/** The part of a writable stream that the log needs. */
export interface LogSink {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const retryMs = 10;

/** Lines go out together up to PIPE_BUF of Linux: a pipe takes such a write whole or not at all. */
const maxTogetherBytes = 4096;

/** How long a line that can wait does, in ms: each write wakes the host, which costs more than the line. */
const togetherMs = 10;

/**
 * Lines on their way to stderr. A host that reads slowly must cost neither a crash nor memory: a full pipe
 * (EAGAIN) is tried again, a broken one (EPIPE) is told once, and beyond `maxBytes` lines are dropped and
 * counted, with a line that says how many once there is room.
 */
export class LogQueue {
  readonly #maxBytes: number;
  readonly #waiting: string[] = [];
  readonly #idle = new Set<() => void>();
  readonly #brokenListeners: (() => void)[] = [];
  #sink: LogSink | undefined;
  #watched = false;
  #bytes = 0;
  #dropped = 0;
  #broken = false;
  #wroteAtMs = Number.NEGATIVE_INFINITY;
  #retry: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;

  constructor(sink?: LogSink, maxBytes = 1_048_576) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes a line. One that waits goes out a moment later, with others like it or before the next that does not. `burst`
   * waits while lines go out anyway: calls that fail by the thousand are told in few writes.
   */
  push(line: string, waits: 'never' | 'burst' | 'always' = 'never'): void {
    if (this.#broken) return;
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#dropped += 1;
      return;
    }
    this.#bytes += bytes;
    this.#waiting.push(line);
    const isBurst = performance.now() - this.#wroteAtMs < togetherMs;
    if (waits === 'never' || (waits === 'burst' && !isBurst)) this.#drain();
    else this.#later ??= setTimeout(() => this.#drain(), togetherMs);
  }

  flush(maxMs: number): Promise<void> {
    this.#drain();
    if (this.#bytes === 0 || this.#broken) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#idle.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, maxMs);
      this.#idle.add(finish);
    });
  }

  onBroken(listener: () => void): void {
    if (this.#broken) queueMicrotask(listener);
    else this.#brokenListeners.push(listener);
  }

  #drain(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    if (this.#retry !== undefined) return;
    for (let text = this.#next(); text !== undefined; text = this.#next()) {
      const bytes = Buffer.byteLength(text);
      try {
        this.#open().write(text, (error) => this.#written(bytes, error));
        this.#wroteAtMs = performance.now();
      } catch (error) {
        if (isBroken(error)) {
          this.#break();
          return;
        }
        this.#waiting.unshift(text);
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#drain();
        }, retryMs);
        this.#retry.unref();
        return;
      }
    }
  }

  /** The oldest lines that go out together. */
  #next(): string | undefined {
    let bytes = 0;
    const tooMany = this.#waiting.findIndex((line) => {
      bytes += Buffer.byteLength(line);
      return bytes > maxTogetherBytes;
    });
    const count = tooMany < 0 ? this.#waiting.length : Math.max(1, tooMany);
    return count === 0 ? undefined : this.#waiting.splice(0, count).join('');
  }

  #open(): LogSink {
    this.#sink ??= process.stderr;
    if (!this.#watched) {
      this.#watched = true;
      this.#sink.on('error', (error) => {
        if (isBroken(error)) this.#break();
      });
    }
    return this.#sink;
  }

  #written(bytes: number, error: Error | null | undefined): void {
    this.#bytes -= bytes;
    if (error && isBroken(error)) {
      this.#break();
      return;
    }
    if (this.#dropped > 0 && this.#bytes < this.#maxBytes / 2) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.push(formatLogLine('warn', 'log lines dropped: the host reads stderr too slowly', { dropped }));
    }
    if (this.#bytes === 0) for (const finish of [...this.#idle]) finish();
  }

  #break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#waiting.length = 0;
    for (const finish of [...this.#idle]) finish();
    for (const listener of this.#brokenListeners.splice(0)) listener();
  }
}

function isBroken(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'EPIPE' || code === 'EBADF' || code === 'ERR_STREAM_DESTROYED' || code === 'ECONNRESET';
}
