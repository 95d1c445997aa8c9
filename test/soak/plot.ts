import { typesOf } from './run.ts';
import type { Sample } from './samples.ts';

const width = 760;
const height = 360;
const edge = { left: 56, right: 110, top: 24, bottom: 44 } as const;
/** Okabe and Ito's colours, without the two that one background or the other swallows. */
const colours = ['#d55e00', '#0072b2', '#009e73', '#cc79a7', '#56b4e9', '#e69f00'];

/** RSS of every process over the time, as SVG that is readable on light and on dark. */
export function rssPlot(samples: readonly Sample[], minutes: number): string {
  const highest = Math.max(...samples.map(({ rssKib }) => rssKib / 1024));
  const step = highest > 160 ? 50 : 25;
  const top = Math.ceil(highest / step) * step;
  const x = (atS: number) => edge.left + (atS / 60 / minutes) * (width - edge.left - edge.right);
  const y = (mib: number) => height - edge.bottom - (mib / top) * (height - edge.top - edge.bottom);
  const grid = Array.from({ length: top / step + 1 }, (_, index) => index * step).map(
    (mib) =>
      `<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${px(y(mib))}" y2="${px(y(mib))}"/>` +
      `<text x="${edge.left - 8}" y="${px(y(mib) + 4)}" text-anchor="end">${mib}</text>`,
  );
  const every = minutes > 5 ? 5 : minutes / 5;
  const ticks = Array.from({ length: Math.floor(minutes / every) + 1 }, (_, index) => index * every).map(
    (minute) =>
      `<text x="${px(x(minute * 60))}" y="${height - edge.bottom + 18}" text-anchor="middle">${round(minute)}</text>`,
  );
  const types = typesOf(samples);
  const labels = spread(
    types.map((type) => y((samples.findLast((each) => each.type === type)?.rssKib ?? 0) / 1024)),
  );
  const curves = types.map((type, index) => {
    const colour = colours[index % colours.length];
    const own = samples.filter((each) => each.type === type);
    const pids = [...new Set(own.map(({ pid }) => pid))];
    const lines = pids.map((pid) => {
      const points = own
        .filter((each) => each.pid === pid)
        .map(({ atS, rssKib }) => `${px(x(atS))},${px(y(rssKib / 1024))}`);
      return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>`;
    });
    return `${lines.join('')}<text x="${width - edge.right + 8}" y="${px((labels[index] ?? 0) + 4)}" style="fill:${colour}">${type}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Resident memory of each adapter process over ${round(minutes)} minutes">
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a; }
.grid { stroke: #57606a; stroke-opacity: 0.25; }
@media (prefers-color-scheme: dark) { text { fill: #9da7b3; } .grid { stroke: #9da7b3; } }
</style>
${grid.join('\n')}
${ticks.join('\n')}
<text x="${edge.left}" y="14">RSS, MiB</text>
<text x="${width - edge.right}" y="${height - 8}" text-anchor="end">minutes; a gap is a process that was killed</text>
${curves.join('\n')}
</svg>
`;
}

/** Labels that would cover each other move apart. */
function spread(at: readonly number[]): readonly number[] {
  const order = at.map((y, index) => ({ y, index })).sort((a, b) => a.y - b.y);
  for (const [index, label] of order.entries()) {
    const above = order[index - 1];
    if (above !== undefined) label.y = Math.max(label.y, above.y + 14);
  }
  const over = Math.max(0, (order.at(-1)?.y ?? 0) - (height - edge.bottom));
  return at.map((_, index) => (order.find((label) => label.index === index)?.y ?? 0) - over);
}

function px(value: number): string {
  return value.toFixed(1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
