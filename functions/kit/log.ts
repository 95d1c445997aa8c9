/** Values that a log line may carry beside its message. Never put a secret or a password here. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one JSON line a call, at the level the platform's own log view understands. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A log whose lines all carry `fields`: function name, RPC, call id. */
export function createLog(fields: LogFields): Log {
  const write =
    (level: keyof Log) =>
    (message: string, more: LogFields = {}) =>
      console[level](JSON.stringify({ level, message, ...fields, ...more }));
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** What can be said about a thrown value in a log line: name, message, stack. Never throws, whatever was thrown. */
export function describeThrown(thrown: unknown): LogFields {
  try {
    if (!(thrown instanceof Error)) return { thrown: String(thrown) };
    return { error: `${thrown.name}: ${thrown.message}`, stack: String(thrown.stack) };
  } catch {
    return { thrown: 'something that has no text' };
  }
}
