import { PluginError } from '../../proto/error.ts';

/** One line or document for the reader of stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Progress and remarks: stderr, so that stdout can be piped. */
export function remark(text: string): void {
  process.stderr.write(`${plain(text)}\n`);
}

/**
 * A text for a terminal: what a cloud or a function says steers none, and hides nothing. Control codes but line ends,
 * and marks that reorder text, are shown as `\u001b`.
 */
export function plain(text: string): string {
  return text.replace(
    /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Rows under headings, columns aligned; for people. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((line) =>
    line.map((cell) => plain(cell).replaceAll('\n', '\\u000a')),
  );
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The text of an error for people: what happened, what was expected, what to do. */
export function explain(error: unknown): string {
  return plain(explained(error));
}

function explained(error: unknown): string {
  if (error instanceof PluginError) {
    return `error ${error.code}: ${error.happened}\n  expected: ${error.expected}\n  ${error.remedy}`;
  }
  const { code, syscall, path } = Object(error);
  if (typeof code === 'string' && typeof syscall === 'string' && typeof path === 'string') {
    return explainFile(code, path);
  }
  return `error: ${error instanceof Error ? error.message : String(error)}`;
}

/** An error of the file system. The temporary name that a file is written under tells nobody anything. */
function explainFile(code: string, path: string): string {
  const file = path.replace(/\.[0-9a-f]{12}\.tmp$/, '');
  return `error: ${file} cannot be used (${code})\n  expected: a path that exists and that you may use\n  Correct the path, or its owner and mode.`;
}
