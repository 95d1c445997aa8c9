/** hclog's levels, least important first. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

/** What a line tells besides its message. Any value may stand here; it reaches the host as text. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A host reads stderr in lines of at most 64 KiB, the line feed included; longer ones are cut to raw pieces. */
export const maxLineBytes = 65_536;

const maxFields = 64;
const maxKeyLength = 128;

/** Keys that hosts use in their own JSON: a second one of the same name makes an ambiguous line there. */
const reserved = new Set(['level', 'time', 'timestamp', 'sender', 'message']);

/**
 * One line of hclog's JSON, ending in a line feed, never longer than {@link maxLineBytes}.
 *
 * Every value is a string: a host of go-plugin 1.8 and before panics when `@message` or `@level` is not one,
 * and passes numbers through float64. There is no `@timestamp`: the host stamps the line, and one that Go
 * cannot parse would demote it to debug (go-plugin, log_entry.go). Never throws.
 */
export function formatLogLine(
  level: LogLevel,
  message: string,
  fields: LogFields = {},
  module?: string,
): string {
  const entries = listEntries(fields);
  // Values are cut shorter and shorter until the line fits: a line that is not whole JSON loses its level.
  for (let maxLength = 32_768; ; maxLength /= 2) {
    const line: Record<string, string> = { '@level': level, '@message': cut(textOf(message), maxLength) };
    if (module !== undefined) line['@module'] = cut(module, maxKeyLength);
    for (const [key, value] of entries) line[key] = cut(value, maxLength);
    const text = `${JSON.stringify(line)}\n`;
    if (maxLength <= 16 || Buffer.byteLength(text) <= maxLineBytes) return text;
  }
}

function listEntries(fields: LogFields): [key: string, value: string][] {
  const entries: [string, string][] = [];
  try {
    for (const key of Object.keys(fields)) {
      if (entries.length === maxFields) break;
      const value = readField(fields, key);
      if (value !== undefined) entries.push([fieldKey(key), textOf(value)]);
    }
  } catch {
    entries.push(['fields', '[unreadable]']);
  }
  return entries;
}

function readField(fields: LogFields, key: string): unknown {
  try {
    return fields[key];
  } catch {
    return '[unreadable]';
  }
}

function fieldKey(key: string): string {
  const plain = key.replace(/^@+/, '').slice(0, maxKeyLength);
  return plain === '' || reserved.has(plain.toLowerCase()) ? `${plain}_` : plain;
}

function textOf(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return value.stack ?? `${value.name}: ${value.message}`;
    if (typeof value !== 'object' || value === null) return String(value);
    return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? '';
  } catch {
    return '[unreadable]';
  }
}

function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text.toWellFormed();
  return `${text.slice(0, maxLength).toWellFormed()}… (${text.length - maxLength} more)`;
}
