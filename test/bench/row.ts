/** One figure against its baseline; a line of `--json`. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Absolute figure of the baseline in the same run; null for a plain limit. */
  readonly baseline: number | null;
  /** value / baseline. */
  readonly ratio: number | null;
  /** The most that `ratio` (or `value`, without a baseline) should be. */
  readonly target: number;
  readonly met: boolean;
}

/** A figure measured against a baseline in the same run. */
export function ratioRow(
  name: string,
  unit: string,
  value: number,
  baseline: number,
  target: number,
): BenchRow {
  const ratio = value / baseline;
  return { name, unit, value, baseline, ratio, target, met: ratio <= target };
}

/** A figure with a limit of its own. */
export function limitRow(name: string, unit: string, value: number, target: number): BenchRow {
  return { name, unit, value, baseline: null, ratio: null, target, met: value <= target };
}

const figure = (value: number | null): string =>
  value === null ? '–' : value.toFixed(Number.isInteger(value) ? 0 : 2);

/** Rows as a Markdown table, as it stands in docs/performance.md. */
export function formatRows(rows: readonly BenchRow[]): string {
  const lines = [
    ['figure', 'value', 'unit', 'baseline', 'ratio', 'target', 'met'],
    ['---', '--:', '---', '--:', '--:', '--:', '---'],
    ...rows.map((r) => [
      r.name,
      figure(r.value),
      r.unit,
      figure(r.baseline),
      figure(r.ratio),
      `≤ ${r.target}`,
      r.met ? 'yes' : 'no',
    ]),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
