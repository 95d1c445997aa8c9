import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { prepareDeployment } from '../runtimes/deployment.ts';
import { median, type Program, residentMiB, startToLine } from './measure.ts';
import { type BenchRow, ratioRow } from './row.ts';

const root = join(import.meta.dirname, '../..');
const runs = 15;
/** Until everything that is loaded after the handshake line has been loaded. */
const settleMs = 1500;

async function baselineProgram(folder: string): Promise<Program> {
  const outfile = join(folder, 'baseline.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'baseline/grpc-plugin.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
  return { cmd: process.execPath, args: [outfile], env: {} };
}

function adapterProgram(configPath: string, clientCert: string | undefined): Program {
  const [name, value] = pluginTypes.ipfilter.cookie;
  return {
    cmd: join(root, 'dist/sftpgo-plugin-serverless'),
    args: ['serve', '--config', configPath],
    env: {
      [name]: value,
      PLUGIN_PROTOCOL_VERSIONS: '1',
      SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath,
      ...(clientCert === undefined ? {} : { PLUGIN_CLIENT_CERT: clientCert }),
    },
  };
}

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
    ];
  } finally {
    await deployment.close();
    await rm(folder, { recursive: true });
  }
}
