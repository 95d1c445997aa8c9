import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BenchOptions, type BenchRow, formatRows } from './row.ts';

/** One group of figures each, loaded when it is measured: what one loads must not weigh on another. */
const groups: Readonly<Record<string, (how: BenchOptions) => Promise<BenchRow[]>>> = {
  size: async () => (await import('./size.ts')).sizeRows(),
  start: async () => (await import('./start.ts')).startRows(),
  remote: async (how) => (await import('./remote.ts')).remoteRows(how),
  cached: async (how) => (await import('./cached.ts')).cachedRows(how),
  breaker: async (how) => (await import('./breaker.ts')).breakerRows(how),
  evidence: async () => (await import('./evidence.ts')).evidenceRows(),
  cold: async () => (await import('./cold.ts')).coldRows(),
  rules: async () => (await import('./rules.ts')).rulesRows(),
  geoip: async (how) => (await import('./geoip.ts')).geoipRows(how),
};

/**
 * `npm run bench`: figures against baselines of the same run. `--only NAME` for one group, `--json` for lines,
 * `--quick` for one round in place of many, `--from FILE` to take such lines instead of measuring, `--svg FOLDER` to draw
 * them too.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    from: { type: 'string' },
    svg: { type: 'string' },
  },
});

async function measure(): Promise<BenchRow[]> {
  const chosen = Object.keys(groups).filter((name) => options.only === undefined || options.only === name);
  if (chosen.length === 0) {
    process.stderr.write(`no group "${options.only}": one of ${Object.keys(groups).join(', ')}\n`);
    process.exitCode = 1;
  }
  const rows: BenchRow[] = [];
  for (const name of chosen) {
    process.stderr.write(`measuring ${name} …\n`);
    const measured = (await groups[name]?.({ quick: options.quick })) ?? [];
    rows.push(...measured);
    if (options.json) for (const row of measured) process.stdout.write(`${JSON.stringify(row)}\n`);
  }
  return rows;
}

function read(file: string): BenchRow[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): BenchRow => JSON.parse(line));
}

const rows = options.from === undefined ? await measure() : read(options.from);
if (!options.json) process.stdout.write(`${formatRows(rows)}\n`);
if (options.svg !== undefined) (await import('./svg.ts')).drawRows(rows, options.svg);
