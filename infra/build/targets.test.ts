import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildIdOf, writtenBuildId } from './build-id.ts';
import {
  type BuildTarget,
  type BuiltFunction,
  buildFunction,
  buildTargets,
  codeSha256Of,
} from './function.ts';
import { acceptedBuilds, acceptedLambda, manifestOf } from './manifest.ts';

let dir: string;
let entry: string;
let built: BuiltFunction;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-targets-'));
  entry = join(dir, 'empty.ts');
  writeFileSync(
    entry,
    `import { allow, ipfilter } from 'sftpgo-plugin-serverless/kit'; export default ipfilter({ checkIP: () => allow() });`,
  );
  built = await buildFunction({ entry, name: 'empty', outDir: join(dir, 'all') });
});
afterAll(() => rmSync(dir, { recursive: true }));

function artifact(runtime: BuildTarget) {
  const found = built.artifacts.find((one) => one.runtime === runtime);
  if (found === undefined) throw new Error(`nothing for ${runtime}`);
  return found;
}

test('the zip for Lambda holds the stamped module alone, and nothing of the machine that made it', () => {
  const { file, sha256, buildId, bytes } = artifact('lambda');
  const content = readFileSync(file);
  const { 'index.mjs': code = new Uint8Array(), ...others } = unzipSync(content);
  expect([others, writtenBuildId(code), buildIdOf(code)]).toEqual([{}, buildId, buildId]);
  expect(bytes).toBe(content.byteLength);
  const directory = content.subarray(content.indexOf('PK\x01\x02', 'latin1'));
  // APPNOTE.TXT 4.3.12: made by Unix; 1980-01-01 00:00; -rw-r--r--
  expect([directory[5], directory.readUInt32LE(12), directory.readUInt32LE(38) >>> 16]).toEqual([
    3, 0x00210000, 0o100644,
  ]);
  expect(codeSha256Of(sha256)).toBe(createHash('sha256').update(content).digest('base64'));
});

test('the zip is the same under another umask and in another time zone', async () => {
  const script = `process.umask(0o077);
    const { buildFunction } = await import(${JSON.stringify(join(import.meta.dirname, 'function.ts'))});
    const [entry, outDir] = process.argv.slice(1);
    const { artifacts } = await buildFunction({ entry, name: 'empty', outDir, targets: ['lambda'] });
    process.stdout.write(JSON.stringify(artifacts.map(({ runtime, sha256 }) => [runtime, sha256])));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--experimental-strip-types', '--input-type=module', '--eval', script, entry, join(dir, 'umask')],
    { env: { ...process.env, TZ: 'Pacific/Kiritimati' } },
  );
  expect(JSON.parse(stdout)).toEqual([['lambda', artifact('lambda').sha256]]);
});

test('for one target only that is built, and the plugin is described all the same', async () => {
  const outDir = join(dir, 'one');
  const one = await buildFunction({ entry, name: 'empty', outDir, targets: ['node'] });
  expect(readdirSync(outDir).sort()).toEqual(['empty.node.mjs', 'empty.node.mjs.map']);
  expect([one.type, one.handles]).toEqual(['ipfilter', ['CheckIP', 'Reload']]);
  expect(() => acceptedLambda(manifestOf('empty', one), '7')).toThrow(
    'the build of empty has no zip for Lambda',
  );
});

test('a lock takes bundles by their build id, and a Lambda version by its zip', () => {
  const manifest = manifestOf('empty', built);
  const [worker, node, lambda] = buildTargets.map(artifact);
  expect(acceptedBuilds(manifest).map(({ version }) => version)).toEqual([worker?.buildId, node?.buildId]);
  expect(acceptedLambda(manifest, '7')).toEqual({
    version: '7',
    files: { 'empty.lambda.zip': lambda?.sha256 },
    config: {},
    inputs: lambda?.inputs,
  });
});

const withDurableObject = `import { DurableObject, env } from 'cloudflare:workers';
  import { allow, ipfilter } from 'sftpgo-plugin-serverless/kit';
  export class Counter extends DurableObject { count() { return this.ctx.id; } }
  const { connect } = await import('cloudflare:sockets');
  export const debug = [env.DEBUG === '1', connect];
  export default ipfilter({ checkIP: () => allow() });`;

test("a Worker with a Durable Object and modules of Cloudflare's runtime is described, and exports both", async () => {
  const source = join(dir, 'durable.ts');
  writeFileSync(source, withDurableObject);
  const options = { entry: source, name: 'durable', outDir: join(dir, 'durable') };
  const { handles, artifacts } = await buildFunction({ ...options, targets: ['worker'] });
  expect(handles).toEqual(['CheckIP', 'Reload']);
  const code = readFileSync(artifacts[0]?.file ?? '', 'utf8');
  expect(code).toMatch(/from"cloudflare:workers"/);
  expect(code).toMatch(/export\{\w+ as Counter,\w+ as debug,\w+ as default\}/);
  await expect(buildFunction(options)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    remedy: expect.stringContaining('--targets worker'),
  });
});
