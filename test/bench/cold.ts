import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { unzipSync } from 'fflate';
import { buildFunction } from '../../infra/build/function.ts';
import { median } from './measure.ts';
import { type BenchRow, ratioRow } from './row.ts';

const root = join(import.meta.dirname, '../..');
const runs = 15;

/** The same client with the same commands, and nothing else: made at the first call, as the function does. */
const clientAlone = `
export { DecryptCommand, DescribeKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
`;

/** What loading a function on AWS KMS takes at a cold start, against the SDK's client alone. */
export async function coldRows(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const own = join(folder, 'own.mjs');
    const alone = join(folder, 'alone.mjs');
    const entry = join(root, 'functions/kms/example.ts');
    const { artifacts } = await buildFunction({ entry, name: 'vault', outDir: folder, targets: ['lambda'] });
    const { 'index.mjs': code } = unzipSync(await readFile(artifacts[0]?.file ?? ''));
    if (code === undefined) throw new Error('the zip has no index.mjs');
    await writeFile(own, code);
    await build({
      stdin: { contents: clientAlone, resolveDir: root },
      outfile: alone,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      mainFields: ['module', 'main'],
      banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
      logLevel: 'warning',
    });
    const took: [number[], number[]] = [[], []];
    for (let run = -1; run < runs; run += 1) {
      // in turn, so that a drifting machine drifts for both; the first brings the files into memory
      for (const [index, file] of [own, alone].entries()) {
        const ms = await importMs(file);
        if (run >= 0) took[index]?.push(ms);
      }
    }
    return [ratioRow('import of a Lambda bundle with KMS', 'ms', median(took[0]), median(took[1]), 1.1)];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** How long a new process of Node takes to import a module. */
async function importMs(file: string): Promise<number> {
  const code = `const at = performance.now(); await import(${JSON.stringify(file)}); process.stdout.write(String(performance.now() - at)); process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    env: { AWS_REGION: 'eu-central-1' },
  });
  return Number(stdout);
}
