import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { buildIdOf, stampBuildId, writtenBuildId } from './build-id.ts';
import { type BuildTarget, type BuiltFunction, buildFunction, buildTargets } from './function.ts';

const kit = "import { allow, deny, FunctionError, ipfilter } from 'sftpgo-plugin-serverless/kit';";
const empty = `${kit} export default ipfilter({ checkIP: () => allow() });`;
let dir: string;
let built: BuiltFunction;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sftpgo-plugin-build-'));
  built = await buildSource('empty', empty);
});
afterAll(() => rmSync(dir, { recursive: true }));

async function buildSource(
  name: string,
  source: string,
  type: PluginTypeName = 'ipfilter',
): Promise<BuiltFunction> {
  const entry = join(dir, `${name}.ts`);
  writeFileSync(entry, source);
  return buildFunction({ entry, name, type, outDir: join(dir, name) });
}

function artifact({ artifacts }: BuiltFunction, runtime: BuildTarget) {
  const found = artifacts.find((one) => one.runtime === runtime);
  if (found === undefined) throw new Error(`no bundle for ${runtime}`);
  return { ...found, content: readFileSync(found.file) };
}

test('an empty ipfilter is at most 14,000 bytes gzip for Workers', () => {
  expect(artifact(built, 'worker').gzipBytes).toBeLessThanOrEqual(14_000);
});

test('a function has no protobuf runtime and no table of the adapter in it', () => {
  for (const { file } of built.artifacts) {
    const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
    expect(sources.filter((path) => path.endsWith('functions/kit/serve.ts'))).toHaveLength(1);
    expect(
      sources.filter((path) => /_pb\.ts$|plugin-types\.ts$|@bufbuild|grpc-js|\/adapter\//.test(path)),
    ).toEqual([]);
  }
});

test('says which RPCs it answers and whose packages are in it', () => {
  expect(built.handles).toEqual(['CheckIP', 'Reload']);
  const hono = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
  expect(Object.keys(artifact(built, 'worker').inputs)).toEqual([
    expect.stringMatching(/^hono@\d+\.\d+\.\d+$/),
  ]);
  expect(Object.values(artifact(built, 'worker').inputs)).toEqual([hono]);
  expect(Object.keys(built.inputs)).toContainEqual(expect.stringMatching(/^@hono\/node-server@/));
});

test('is the same to the last byte wherever and whenever it is built', async () => {
  mkdirSync(join(dir, 'elsewhere/deep'), { recursive: true });
  const entry = join(dir, 'elsewhere/deep/renamed.ts');
  writeFileSync(entry, empty);
  const again = await buildFunction({
    entry,
    name: 'other',
    type: 'ipfilter',
    outDir: join(dir, 'elsewhere/out'),
  });
  for (const runtime of buildTargets) {
    expect(artifact(again, runtime).sha256).toBe(artifact(built, runtime).sha256);
  }
  expect(readdirSync(join(dir, 'elsewhere/out')).sort()).toEqual([
    'other.lambda.zip',
    'other.lambda.zip.map',
    'other.node.mjs',
    'other.node.mjs.map',
    'other.worker.mjs',
    'other.worker.mjs.map',
  ]);
});

test('the build id is in the bundle once, can be computed from it, and follows the source', async () => {
  const { content, buildId } = artifact(built, 'worker');
  expect(content.toString().split(buildId)).toHaveLength(2);
  expect([buildIdOf(content), writtenBuildId(content)]).toEqual([buildId, buildId]);
  const changed = await buildSource(
    'changed',
    `${kit} export default ipfilter({ checkIP: () => deny('no') });`,
  );
  expect(artifact(changed, 'worker').buildId).not.toBe(buildId);
  const tampered = Buffer.from(content.toString().replace('permission_denied', 'permission_denies'));
  expect(buildIdOf(tampered)).not.toBe(writtenBuildId(tampered));
});

test('a bundle with no or two places for a build id is refused', () => {
  const place = `sftpgo-plugin-serverless build ${'0'.repeat(64)}`;
  expect(() => stampBuildId(Buffer.from('export default 1'))).toThrow(
    'the bundle has 0 places for a build id',
  );
  expect(() => stampBuildId(Buffer.from(`${place} ${place}`))).toThrow(
    'the bundle has 2 places for a build id',
  );
  expect(stampBuildId(Buffer.from(place)).bytes.byteLength).toBe(place.length);
});

test.each([
  ['syntax', 'export default {', 'cannot be bundled: '],
  ['missing', "import x from 'not-installed'; export default x;", 'Could not resolve "not-installed"'],
  ['nothing', 'export const plugin = 1;', 'No matching export'],
  ['object', `${empty.replace('ipfilter({', '({')}`, 'places for a build id'],
  [
    'noise',
    `console.log('hello'); ${kit} void ipfilter; export default { fetch() {} };`,
    'places for a build id',
  ],
  [
    'throws',
    `${kit} export default ipfilter({ checkIP: () => allow() }); throw new RangeError('at load');`,
    'RangeError: at load',
  ],
])('an entry with %s is refused by the build', async (name, source, text) => {
  await expect(buildSource(`bad-${name}`, source)).rejects.toThrow(text);
});

test('an entry of another type is refused by the build', async () => {
  await expect(buildSource('other-type', empty, 'kms')).rejects.toThrow(
    'exports a plugin of type ipfilter; expected a plugin of type kms',
  );
});

test('what an entry prints while it loads does not disturb the build', async () => {
  expect((await buildSource('chatty', `console.log('{'); ${empty}`)).handles).toEqual(['CheckIP', 'Reload']);
});
