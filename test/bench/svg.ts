import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRow } from './row.ts';

const width = 720;
const labelWidth = 300;
const barWidth = 300;
const rowHeight = 26;
const top = 44;

/** One picture: rows whose ratio is shown against their target. */
interface Picture {
  readonly file: string;
  readonly title: string;
  readonly rows: (row: BenchRow) => boolean;
}

const pictures: readonly Picture[] = [
  {
    file: 'bench-ratios.svg',
    title: 'Cost against the baseline of the same run; the mark is the most it should be',
    rows: ({ ratio, target, least, absolute }) =>
      ratio !== null && target !== null && least === undefined && absolute === undefined,
  },
  {
    file: 'bench-throughput.svg',
    title: 'Calls a second against the baseline of the same run; the mark is the least it should be',
    rows: ({ ratio, target, least }) => ratio !== null && target !== null && least === true,
  },
];

/** Draws the rows of a bench as bars, one SVG a group, into `folder`. Colours follow the reader's scheme. */
export function drawRows(rows: readonly BenchRow[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { file, title, rows: wanted } of pictures) {
    const shown = rows.filter(wanted);
    if (shown.length > 0) writeFileSync(join(folder, file), bars(title, shown));
  }
}

function bars(title: string, rows: readonly BenchRow[]): string {
  const most = Math.max(1, ...rows.map(({ ratio, target }) => Math.max(ratio ?? 0, target ?? 0)));
  const x = (ratio: number) => labelWidth + (ratio / most) * barWidth;
  const height = top + rows.length * rowHeight + 16;
  const lines = rows.map((row, index) => {
    const y = top + index * rowHeight;
    const ratio = row.ratio ?? 0;
    const mark = row.target === null ? '' : markAt(x(row.target), y);
    return [
      `<text x="${labelWidth - 10}" y="${y + 15}" text-anchor="end">${escaped(row.name)}</text>`,
      `<rect class="${row.met === false ? 'missed' : 'bar'}" x="${labelWidth}" y="${y + 3}" width="${(x(ratio) - labelWidth).toFixed(1)}" height="16" rx="2"/>`,
      `<text x="${(x(Math.max(ratio, row.target ?? 0)) + 8).toFixed(1)}" y="${y + 15}">${ratio.toFixed(2)}</text>`,
      mark,
    ].join('');
  });
  const one = `<line class="one" x1="${x(1).toFixed(1)}" x2="${x(1).toFixed(1)}" y1="${top - 4}" y2="${height - 14}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.bar { fill: #2f81b7 }
.missed { fill: #c2562d }
.one { stroke: #8c959f; stroke-dasharray: 3 3 }
.mark { stroke: #24292f; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .mark { stroke: #e6edf3 }
}
</style>
<text class="title" x="10" y="22">${escaped(title)}</text>
${one}
${lines.join('\n')}
</svg>
`;
}

function markAt(at: number, y: number): string {
  return `<line class="mark" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${y}" y2="${y + 22}"/>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
