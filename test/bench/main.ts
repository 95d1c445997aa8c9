import { parseArgs } from 'node:util';
import { cachedRows } from './cached.ts';
import { evidenceRows } from './evidence.ts';
import { type BenchRow, formatRows } from './row.ts';
import { rulesRows } from './rules.ts';
import { sizeRows } from './size.ts';
import { startRows } from './start.ts';

/** `npm run bench`: figures against baselines of the same run. `--only NAME` for one group, `--json` for lines. */
const groups: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  size: sizeRows,
  start: startRows,
  evidence: evidenceRows,
  cached: cachedRows,
  rules: rulesRows,
};

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const chosen = Object.keys(groups).filter((name) => options.only === undefined || options.only === name);
if (chosen.length === 0) {
  process.stderr.write(`no group "${options.only}": one of ${Object.keys(groups).join(', ')}\n`);
  process.exitCode = 1;
}
const rows: BenchRow[] = [];
for (const name of chosen) {
  process.stderr.write(`measuring ${name} …\n`);
  const measured = (await groups[name]?.()) ?? [];
  rows.push(...measured);
  if (options.json) for (const row of measured) process.stdout.write(`${JSON.stringify(row)}\n`);
}
if (!options.json) process.stdout.write(`${formatRows(rows)}\n`);
