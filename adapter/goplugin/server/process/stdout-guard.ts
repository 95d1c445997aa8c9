import { format } from 'node:util';
import type { HclogWriter } from '../hclog.ts';

/**
 * Sends what this process writes to `process.stdout` and with `console` to the log instead. Before the handshake
 * line a stray text makes the host give up; after it a line of 64 KiB or more stops the host's reader for good.
 * A raw write to file descriptor 1 cannot be stopped.
 *
 * Returns the function that undoes it.
 */
export function guardStdout(log: HclogWriter): () => void {
  const { stdout } = process;
  const write = stdout.write;
  const { error, warn } = console;
  const quiet = log.named('stdout');
  stdout.write = ((
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | (() => void),
    done?: () => void,
  ): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (text.trim() !== '') quiet.info(text.trimEnd());
    const called = typeof encoding === 'function' ? encoding : done;
    if (called !== undefined) queueMicrotask(called);
    return true;
  }) as typeof stdout.write;
  console.error = (...parts: unknown[]) => quiet.error(format(...parts));
  console.warn = (...parts: unknown[]) => quiet.warn(format(...parts));
  return () => {
    stdout.write = write;
    Object.assign(console, { error, warn });
  };
}
