/** A fenced block of a Markdown page. */
export interface Block {
  /** The first word of its info string: `sh`, `ts`, `yaml`. */
  readonly language: string;
  /** The rest of its info string: a file name, or `journey` with what the run must know. */
  readonly info: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order; those inside lists without their indentation. */
export function fencedBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { indent: number; language: string; info: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, spaces = '', rest] = /^( *)```(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (rest === undefined) continue;
      const [language = '', ...info] = rest.trim().split(/ +/);
      open = { indent: spaces.length, language, info: info.join(' '), line: index + 2, lines: [] };
    } else if (rest === '') {
      const { indent, lines, ...block } = open;
      blocks.push({ ...block, text: lines.map((text) => `${text.slice(indent)}\n`).join('') });
      open = undefined;
    } else open.lines.push(line);
  }
  return blocks;
}

/** Commands to run in one terminal, with what the page says of them. */
export interface CommandStep {
  readonly kind: 'command';
  readonly line: number;
  readonly text: string;
  /** Of the last command: `exit=2`; 0 when not said. */
  readonly exitCode: number;
  /** A program goes on in the background once this port is open: `listening=8787`. */
  readonly port: number | undefined;
  /** What the next block, `text output`, shows; `…` stands for anything. */
  readonly output: readonly string[];
}

/** A file that the reader writes. */
export interface FileStep {
  readonly kind: 'file';
  readonly line: number;
  readonly name: string;
  readonly text: string;
}

/**
 * What a reader of the page does, in order: writes each block whose info names a file, runs each `sh journey`. Other
 * blocks are not part of the journey.
 */
export function stepsOf(markdown: string): readonly (CommandStep | FileStep)[] {
  const blocks = fencedBlocks(markdown);
  return blocks.flatMap((block, index): (CommandStep | FileStep)[] => {
    const { language, info, text, line } = block;
    if (/^[\w.-]+\.\w+$/.test(info)) return [{ kind: 'file', line, name: info, text }];
    if (language !== 'sh' || !/^journey\b/.test(info)) return [];
    const next = blocks[index + 1];
    const shown = next?.language === 'text' && next.info === 'output' ? next.text : '';
    const port = /listening=(\d+)/.exec(info)?.[1];
    return [
      {
        kind: 'command',
        line,
        text,
        exitCode: Number(/exit=(\d+)/.exec(info)?.[1] ?? 0),
        port: port === undefined ? undefined : Number(port),
        output: shown.split('\n').filter((row) => row !== ''),
      },
    ];
  });
}

/** The first shown line that the output does not have in its place; undefined when all are there, in order. */
export function missingLine(shown: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').map(squeeze);
  let from = 0;
  for (const row of shown) {
    const parts = squeeze(row).split('…');
    const pattern = new RegExp(
      `^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`,
    );
    const found = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (found < 0) return row;
    from = found + 1;
  }
  return undefined;
}

/** Columns are as wide as their longest cell, which `…` does not show. */
function squeeze(line: string): string {
  return line.trim().replace(/ +/g, ' ');
}
