import { formatLogLine, type LogFields, type LogLevel, logLevels } from './log-line.ts';
import { LogQueue, type LogSink } from './log-queue.ts';

/**
 * Which lines wait for others like them. An answer does not wait until the host has read what is said of it for debugging;
 * while a function is away, each call says so.
 */
const waits: Readonly<Record<LogLevel, 'never' | 'burst' | 'always'>> = {
  trace: 'always',
  debug: 'always',
  info: 'never',
  warn: 'burst',
  error: 'never',
};

export interface HclogOptions {
  /** The least important level that is written. Default `debug`, as hosts set it. */
  readonly level?: LogLevel;
  /** `@module` of every line. */
  readonly module?: string;
  /** Where lines go. Default `process.stderr`, touched at the first line. */
  readonly sink?: LogSink;
  /** Lines waiting for a host that does not read; beyond it they are counted and dropped. Default 1 MiB. */
  readonly maxQueueBytes?: number;
}

/**
 * Writes log lines as go-plugin's hosts read them: hclog's JSON on stderr, one line a record, each at its own
 * level in the host's log. Never throws, never blocks, holds a bounded number of bytes.
 *
 * ```ts
 * const log = new HclogWriter({ level: 'info' });
 * log.warn('no answer in time', { function: 'office', timeoutMs: 800 });
 * log.named('lock').error('bad seal', { file: 'bundles.lock.json' });
 * ```
 */
export class HclogWriter {
  readonly #level: number;
  readonly #levelName: LogLevel;
  readonly #module: string | undefined;
  readonly #queue: LogQueue;

  constructor(options: HclogOptions = {}, queue?: LogQueue) {
    this.#levelName = options.level ?? 'debug';
    this.#level = logLevels.indexOf(this.#levelName);
    this.#module = options.module;
    this.#queue = queue ?? new LogQueue(options.sink, options.maxQueueBytes);
  }

  trace(message: string, fields?: LogFields): void {
    this.log('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.log('error', message, fields);
  }

  /** Writes one record, or nothing below the writer's level. */
  log(level: LogLevel, message: string, fields?: LogFields): void {
    if (logLevels.indexOf(level) < this.#level) return;
    this.#queue.push(formatLogLine(level, message, fields, this.#module), waits[level]);
  }

  /** The same writer, with `module` as @module of its lines (below this one's, joined by a dot). */
  named(module: string): HclogWriter {
    const path = this.#module === undefined ? module : `${this.#module}.${module}`;
    return new HclogWriter({ level: this.#levelName, module: path }, this.#queue);
  }

  /** Resolves when every line has left the process, or after `maxMs`. */
  flush(maxMs: number): Promise<void> {
    return this.#queue.flush(maxMs);
  }

  /** Calls once when nobody reads any more (EPIPE): the host is gone. At once if that has happened. */
  onBroken(listener: () => void): void {
    this.#queue.onBroken(listener);
  }
}
