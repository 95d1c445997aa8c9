import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { median, type Program, residentMiB, startToLine } from './measure.ts';
import { adapterProgram, baselineProgram } from './programs.ts';
import { type BenchRow, limitRow, ratioRow } from './row.ts';

const runs = 15;
/** Until everything that is loaded after the handshake line has been loaded. */
const settleMs = 1500;

async function measured(program: Program, rss: boolean): Promise<number> {
  const { child, ms } = await startToLine(program);
  if (rss) await sleep(settleMs);
  const figure = rss ? await residentMiB(child.pid ?? 0) : ms;
  child.kill('SIGKILL');
  return figure;
}

/** The two in turn, so that a drifting machine drifts for both; medians. */
async function inTurn(a: Program, b: Program, times: number, rss: boolean): Promise<[number, number]> {
  const figures: [number[], number[]] = [[], []];
  for (let run = 0; run < times; run += 1) {
    figures[0].push(await measured(a, rss));
    figures[1].push(await measured(b, rss));
  }
  return [median(figures[0]), median(figures[1])];
}

/** Start to handshake line and idle memory, against a bare grpc-js plugin bundle. */
export async function startRows(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const deployment = await prepareDeployment();
  try {
    await deployment.lockAt('https://localhost:1');
    const bare = await baselineProgram(folder);
    const host = createCertificate({ curve: 'P-521', authority: true });
    const plain = adapterProgram(deployment.configPath, undefined);
    const mutual = adapterProgram(deployment.configPath, host.certPem);
    await inTurn(plain, bare, 1, false);
    const [plainMs, bareMs] = await inTurn(plain, bare, runs, false);
    const [mutualMs, bareAgainMs] = await inTurn(mutual, bare, runs, false);
    const [mutualMiB, bareMiB] = await inTurn(mutual, bare, 3, true);
    return [
      ratioRow('start to handshake', 'ms', plainMs, bareMs, 1.8),
      ratioRow('start to handshake, AutoMTLS', 'ms', mutualMs, bareAgainMs, 1.8),
      ratioRow('idle RSS', 'MiB', mutualMiB, bareMiB, 1.5),
      limitRow('idle RSS, absolute', 'MiB', mutualMiB, 100),
    ];
  } finally {
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}
