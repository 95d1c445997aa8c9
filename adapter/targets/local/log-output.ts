import type { Readable } from 'node:stream';
import type { Log } from '../../invoke/connection.ts';

const maxLineChars = 4096;
const levels = ['debug', 'info', 'warn', 'error'] as const;

/**
 * Everything a local function writes to one of its standard streams goes to the adapter's log, a line an entry:
 * lines of the kit's own log (JSON with level and message) at their level, others at `level`.
 */
export function logOutput(
  stream: Readable,
  options: { readonly functionName: string; readonly level: 'info' | 'warn'; readonly log: Log },
): void {
  const { functionName, level, log } = options;
  eachLine(stream, (line) => {
    const said = parse(line);
    const known = levels.find((candidate) => candidate === said?.['level']);
    if (said === undefined || known === undefined || typeof said['message'] !== 'string') {
      log[level](line, { function: functionName });
      return;
    }
    const { level: _, message, ...fields } = said;
    const entries = Object.entries(fields).map(([name, value]) => [name, cut(String(value))]);
    log[known](cut(String(message)), { ...Object.fromEntries(entries), function: functionName });
  });
}

/** Lines of at most `maxLineChars`; what is longer is cut, and the rest of it dropped, never collected. */
function eachLine(stream: Readable, take: (line: string) => void): void {
  let line = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = chunk.split('\n');
    for (const [index, part] of parts.entries()) {
      if (line.length <= maxLineChars) line += part.slice(0, maxLineChars + 1);
      if (index === parts.length - 1) return;
      if (line !== '') take(cut(line));
      line = '';
    }
  });
  stream.on('end', () => {
    if (line !== '') take(cut(line));
  });
}

function cut(text: string): string {
  return text.length <= maxLineChars ? text : `${text.slice(0, maxLineChars)}…`;
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return Object(JSON.parse(line));
  } catch {
    return undefined;
  }
}
