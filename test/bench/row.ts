/** How to measure. */
export interface BenchOptions {
  /** One round in place of many: to see that a group works. */
  readonly quick: boolean;
}

/** One figure against its baseline; a line of `--json`. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What one call costs the process that is measured, in µs of processor time. */
  readonly cpuUs?: number;
  /** Absolute figure of the baseline in the same run; null for a plain limit. */
  readonly baseline: number | null;
  /** The same for the process of the baseline. */
  readonly baselineCpuUs?: number;
  /** value / baseline. */
  readonly ratio: number | null;
  /** What `ratio` (or `value`, without a baseline) should be at most; null where a figure is only shown. */
  readonly target: number | null;
  /** The target is what it should be at least. */
  readonly least?: true;
  /** The target is for `value`; a baseline beside it is only shown. */
  readonly absolute?: true;
  readonly met: boolean | null;
}

/** What a row may have besides. */
export type RowExtras = Pick<BenchRow, 'cpuUs' | 'baselineCpuUs' | 'least'>;

/** A figure measured against a baseline in the same run. */
export function ratioRow(
  name: string,
  unit: string,
  value: number,
  baseline: number,
  target: number | null,
  extras: RowExtras = {},
): BenchRow {
  const ratio = value / baseline;
  return { name, unit, value, baseline, ratio, target, met: isMet(ratio, target, extras), ...extras };
}

/** A figure with a limit of its own; a baseline beside it is only shown. */
export function limitRow(
  name: string,
  unit: string,
  value: number,
  target: number | null,
  { baseline = null, ...extras }: RowExtras & { readonly baseline?: number | null } = {},
): BenchRow {
  return {
    name,
    unit,
    value,
    baseline,
    ratio: baseline === null ? null : value / baseline,
    target,
    absolute: true,
    met: isMet(value, target, extras),
    ...extras,
  };
}

function isMet(figure: number, target: number | null, { least }: RowExtras): boolean | null {
  if (target === null) return null;
  return least ? figure >= target : figure <= target;
}

function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value.toFixed(Number.isInteger(value) || value >= 1000 ? 0 : value >= 100 ? 1 : 2);
}

/** Rows as a Markdown table, as it stands in docs/performance.md. */
export function formatRows(rows: readonly BenchRow[]): string {
  const lines = [
    ['figure', 'value', 'unit', 'CPU µs', 'baseline', 'its CPU µs', 'ratio', 'target', 'met'],
    ['---', '--:', '---', '--:', '--:', '--:', '--:', '--:', '---'],
    ...rows.map((r) => [
      r.name,
      figure(r.value),
      r.unit,
      figure(r.cpuUs),
      figure(r.baseline),
      figure(r.baselineCpuUs),
      r.ratio === null ? '–' : r.ratio.toFixed(2),
      r.target === null ? '–' : `${r.least ? '≥' : '≤'} ${r.target}`,
      r.met === null ? '–' : r.met ? 'yes' : 'no',
    ]),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
