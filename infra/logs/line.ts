/** One line that a function wrote. */
export interface LogLine {
  /** When, in ms since 1970, by the cloud's clock. */
  readonly atMs: number;
  /** `office@live`. */
  readonly function: string;
  /** Of the cloud: the same line is never shown twice. */
  readonly id: string;
  readonly text: string;
}

/** Where the lines of one function come from. */
export interface LogSource {
  readonly function: string;
  /** The lines of a time, in any order. Throws UNREACHABLE (three messages), TOOL_MISSING. */
  read(fromMs: number, untilMs: number): Promise<readonly LogLine[]>;
}

/** Longer lines are cut: nobody reads more of one in a terminal. */
const maxChars = 4000;

/** A line as it is printed. What a function wrote may quote what a stranger sent: no terminal gets its control codes. */
export function showLine({ atMs, function: name, text }: LogLine): string {
  return `${new Date(atMs).toISOString()} ${name} ${printable(text)}`;
}

/** One line, without the control characters of C0, DEL and C1, and without marks that reorder text. */
export function printable(text: string): string {
  const line = text.trimEnd().slice(0, maxChars);
  return line.replace(/\t/g, ' ').replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ');
}
