import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matrixTable } from './matrix.ts';

const [begin, end] = ['<!-- fault matrix -->', '<!-- end of the fault matrix -->'] as const;

/** The page that shows the matrix. */
export const matrixPage = join(import.meta.dirname, '../../docs/reliability.md');

/** The page as it is, and as it is with the matrix of today. Throws where the page has no place for it. */
export async function pageWithMatrix(): Promise<{ readonly now: string; readonly written: string }> {
  const now = await readFile(matrixPage, 'utf8');
  const [before, rest] = now.split(`${begin}\n`);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${matrixPage} lacks ${begin} or ${end}`);
  return { now, written: `${before}${begin}\n\n${matrixTable()}\n\n${end}${after}` };
}
