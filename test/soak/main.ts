import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rssPlot } from './plot.ts';
import { report } from './report.ts';
import { soak } from './run.ts';

/**
 * `npm run soak`: all six types through the Go host for SOAK_MINUTES (30), SOAK_RATE calls a second (50), with kills,
 * cuts and edits. Prints the closing tables and draws RSS into SOAK_PLOT (docs/img/soak-rss.svg). Exit code 1 when the
 * books do not close, an answer is wrong, a process ended by itself, or memory or descriptors grew.
 */
const minutes = Number(process.env['SOAK_MINUTES'] ?? 30);
const rate = Number(process.env['SOAK_RATE'] ?? 50);
const plot = process.env['SOAK_PLOT'] ?? join(import.meta.dirname, '../../docs/img/soak-rss.svg');

const soaked = await soak({ minutes, rate, say: (text) => process.stderr.write(`${text}\n`) });
process.stdout.write(report(soaked));
mkdirSync(dirname(plot), { recursive: true });
writeFileSync(plot, rssPlot(soaked.samples, minutes));
process.exitCode = soaked.problems.length === 0 ? 0 : 1;
