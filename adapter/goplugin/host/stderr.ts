import { type LogFields, type LogLevel, logLevels } from '../server/log-line.ts';

/** Receives one record of a plugin's log. */
export type LogListener = (level: LogLevel, message: string, fields: LogFields) => void;

/** go-plugin's PluginLogBufferSize: a longer line comes out in raw pieces. */
const bufferBytes = 65_536;

const prefixes: readonly (readonly [prefix: string, level: LogLevel])[] = [
  ['[TRACE]', 'trace'],
  ['[DEBUG]', 'debug'],
  ['[INFO]', 'info'],
  ['[WARN]', 'warn'],
  ['[ERROR]', 'error'],
];

/**
 * Reads a plugin's stderr as go-plugin's client does (client.go, `logStderr`): hclog's JSON at its own level,
 * a few prefixes, everything else at debug; a line longer than the buffer in raw pieces at debug.
 */
export class StderrReader {
  readonly #listener: LogListener;
  #rest: Buffer = Buffer.alloc(0);
  #inLongLine = false;
  #inPanic = false;

  constructor(listener: LogListener) {
    this.#listener = listener;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0 && end < bufferBytes) {
        this.#line(this.#rest.subarray(0, end), false);
        this.#rest = this.#rest.subarray(end + 1);
      } else if (this.#rest.length >= bufferBytes) {
        this.#line(this.#rest.subarray(0, bufferBytes), true);
        this.#rest = this.#rest.subarray(bufferBytes);
      } else return;
    }
  }

  /** The stream has ended: what is left is a line. */
  end(): void {
    if (this.#rest.length > 0) this.#line(this.#rest, false);
    this.#rest = Buffer.alloc(0);
  }

  #line(bytes: Buffer, isPiece: boolean): void {
    const text = bytes.toString('utf8').replace(/\r$/, '');
    const wasPiece = this.#inLongLine;
    this.#inLongLine = isPiece;
    if (isPiece || wasPiece) this.#listener('debug', text, {});
    else if (!this.#json(text)) this.#plain(text);
  }

  /** False when the line is not a record of hclog at all. */
  #json(text: string): boolean {
    const record = parseRecord(text);
    if (record === undefined) return false;
    const { '@message': message = '', '@level': level = '', '@timestamp': timestamp, ...fields } = record;
    const known = logLevels.find((name) => name === String(level).trim().toLowerCase());
    if (known === undefined || typeof message !== 'string') this.#listener('debug', text, {});
    else this.#listener(known, message, timestamp === undefined ? fields : { ...fields, timestamp });
    return true;
  }

  #plain(text: string): void {
    const prefix = prefixes.find(([start]) => text.startsWith(start));
    if (prefix) {
      this.#listener(prefix[1], text, {});
      return;
    }
    if (text.startsWith('panic: ') || text.startsWith('fatal error: ')) this.#inPanic = true;
    this.#listener(this.#inPanic ? 'error' : 'debug', text, {});
  }
}

/** A JSON object; undefined for anything else, and for a time that Go's layout does not parse. */
function parseRecord(text: string): Record<string, unknown> | undefined {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return undefined;
  const fields = record as Record<string, unknown>;
  const timestamp = fields['@timestamp'];
  const layout = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;
  if (timestamp !== undefined && !(typeof timestamp === 'string' && layout.test(timestamp))) return undefined;
  return fields;
}
