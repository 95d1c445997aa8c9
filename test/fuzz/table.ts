import type { Row } from './runs.ts';

const whole = (value: number) => Math.round(value).toLocaleString('en');

/** The properties that were tried, as a table in Markdown: how many inputs, and how they ended, the most frequent first. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ file, property, inputs, endings, seconds, cpuSeconds, passed }) =>
    [
      `${file}: ${property}${passed ? '' : ' **FAILED**'}`,
      whole(inputs),
      Object.entries(endings)
        .map(([ending, count]) => `${ending} ${whole(count)}`)
        .join(', '),
      whole(seconds),
      whole(cpuSeconds),
    ].join(' | '),
  );
  const sum = (of: (row: Row) => number) => whole(rows.reduce((total, row) => total + of(row), 0));
  const total = [
    `${rows.length} properties`,
    sum(({ inputs }) => inputs),
    '',
    sum(({ seconds }) => seconds),
    sum(({ cpuSeconds }) => cpuSeconds),
  ].join(' | ');
  return ['property | inputs | ended | s | CPU s', '---|---:|---|---:|---:', ...lines, total]
    .map((line) => `| ${line} |`)
    .join('\n')
    .replace('| ---|---:|---|---:|---: |', '|---|---:|---|---:|---:|');
}
