import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FoundVersion, FoundWorker } from '../../../adapter/targets/worker/found.ts';
import { sha256Hex } from '../../../proto/lock/digest.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { DeployFunction } from '../cloud.ts';
import { publish } from './publish.ts';
import type { Session } from './session.ts';

/**
 * Stands in for wrangler: writes the form of a dry run, and keeps what an upload was given. The real one is driven by
 * test/deploy/worker*.test.ts.
 */
const program = `import { readFileSync, writeFileSync, appendFileSync } from 'node:fs';
const args = process.argv.slice(2);
const at = (name) => args[args.indexOf(name) + 1];
const bundle = args.find((text) => text.endsWith('.mjs'));
const vars = args.flatMap((text, i) => (args[i - 1] === '--var' ? [text] : [])).map((text) => {
  const [, name, value] = /^(.*?):(.*)$/.exec(text);
  return { name, type: 'plain_text', text: value };
});
const metadata = { main_module: 'office.worker.mjs', compatibility_date: '2026-07-01', compatibility_flags: [],
  bindings: [{ name: 'PLUGIN_KEY', type: 'inherit' }, ...vars] };
const boundary = '----formdata-undici-012345678901';
const part = (name, type, body) => '--' + boundary + '\\r\\nContent-Disposition: form-data; name="' + name + '"' + type + '\\r\\n\\r\\n' + body + '\\r\\n';
const form = part('metadata', '', JSON.stringify(metadata)) +
  part('office.worker.mjs', '; filename="office.worker.mjs"\\r\\nContent-Type: application/javascript+module', readFileSync(bundle, 'utf8')) + '--' + boundary + '--\\r\\n';
if (args.includes('--dry-run')) writeFileSync(at('--outfile'), form);
else {
  const stdin = args.includes('/dev/stdin') ? readFileSync('/dev/stdin', 'utf8') : '';
  const config = readFileSync(at('--config'), 'utf8');
  writeFileSync('uploaded.json', JSON.stringify({ args, stdin, config, metadata, environment: process.env }));
  appendFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, JSON.stringify({ type: args[0] === 'deploy' ? 'deploy' : 'version-upload', version_id: 'v2' }) + '\\n');
}`;

const code = 'export default {}';
let folder: string;
/** What Cloudflare has: changed by a test, else what the last upload was. */
let change: (version: FoundVersion) => FoundVersion;
let worker: FoundWorker | undefined;
let older: FoundVersion[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publish-'));
  await writeFile(join(folder, 'wrangler.mjs'), program);
  await writeFile(join(folder, 'office.worker.mjs'), code);
  await writeFile(join(folder, 'w.jsonc'), '{}');
  change = (version) => version;
  worker = undefined;
  older = [];
});
afterEach(async () => await rm(folder, { recursive: true }));

const uploaded = async () =>
  JSON.parse(await readFile(join(folder, 'uploaded.json'), 'utf8').catch(() => 'null'));

async function found(): Promise<FoundVersion> {
  const { main_module, compatibility_date, compatibility_flags, bindings } = (await uploaded()).metadata;
  const content = Buffer.from(code).toString('base64');
  const content_type = 'application/javascript+module';
  return change({
    id: 'v2',
    main_module,
    compatibility_date,
    compatibility_flags,
    bindings: bindings.map((one: { type: string }) =>
      one.type === 'inherit' ? { ...one, type: 'secret_text' } : one,
    ),
    modules: [{ name: 'office.worker.mjs', content_type, content_base64: content }],
  });
}

const session = (): Session => ({
  folder,
  environment: { PATH: process.env['PATH'], PLUGIN_CALLERS: JSON.stringify({ keys: [jwk] }) },
  wrangler: { bin: join(folder, 'wrangler.mjs'), module: '' },
  settings: {
    file: join(folder, 'w.jsonc'),
    name: 'office',
    raw: { name: 'office', workers_dev: true },
    definedEnvironments: [],
    workers_dev: true,
  },
  api: {
    worker: async () => worker ?? ((await uploaded()) === null ? undefined : { name: 'office' }),
    newestVersions: async () => older.map(({ id }) => id),
    version: async (_, id) => older.find((one) => one.id === id) ?? (id === 'v2' ? await found() : undefined),
    deployed: async () => [],
    subdomain: async () => 'acme',
    queryTelemetry: async () => undefined,
  },
});
const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

const fn = (locked?: LockedFunction): DeployFunction => ({
  name: 'office',
  stage: 'live',
  id: 'office@live',
  entry: '',
  target: 'worker',
  builtIn: folder,
  locked,
  manifest: {
    name: 'office',
    type: 'ipfilter',
    handles: ['CheckIP'],
    inputs: {},
    artifacts: [
      { file: 'office.worker.mjs', runtime: 'worker', sha256: sha256Hex(code), buildId: 'b', inputs: {} },
    ],
  },
});
const report = () => undefined;

test('a Worker is created without an address, with its key over stdin and nowhere else', async () => {
  const { address, accepted, keys } = await publish(session(), fn(), report);
  expect(address).toBe('https://office.acme.workers.dev');
  expect(accepted.files).toEqual({ 'office.worker.mjs': sha256Hex(code) });
  const { args, stdin, config, environment } = await uploaded();
  expect(args[0]).toBe('deploy');
  expect(JSON.parse(config)).toMatchObject({ workers_dev: false, preview_urls: false, routes: [] });
  const { d, ...made } = JSON.parse(JSON.parse(stdin).PLUGIN_KEY);
  expect(keys).toEqual([made]);
  expect(JSON.stringify({ args, config, environment })).not.toContain(d);
  expect(environment).toMatchObject({ WRANGLER_WRITE_LOGS: 'false', WRANGLER_SEND_METRICS: 'false' });
});

test('a Worker that is there gets a version, and keeps a key that the lock has', async () => {
  const first = await publish(session(), fn(), report);
  older = [{ ...(await found()), id: 'v1' }];
  worker = { name: 'office' };
  const { address, keys, accepted } = first;
  const { type, handles } = fn().manifest;
  const locked: LockedFunction = {
    type,
    target: 'worker',
    address,
    handles,
    accepts: [accepted],
    keys: [...keys],
  };
  const same = await publish(session(), fn(locked), report);
  expect(same.accepted.version).toBe('v1');
  older = older.map((one) => ({ ...one, compatibility_date: '2026-06-01' }));
  expect((await publish(session(), fn(locked), report)).accepted.version).toBe('v2');
  const { args, stdin } = await uploaded();
  expect({ command: args.slice(0, 2), stdin }).toEqual({ command: ['versions', 'upload'], stdin: '' });
  // another Worker's key is none of this one's
  const elsewhere = {
    ...locked,
    accepts: [{ ...accepted, config: { ...accepted.config, worker: 'other' } }],
  };
  const moved = await publish(session(), fn(elsewhere), report);
  expect([moved.keys.length, moved.keys[0]?.x === keys[0]?.x]).toEqual([1, false]);
});

test.each<[string, (version: FoundVersion) => FoundVersion, string]>([
  ['other bytes', (version) => ({ ...version, modules: [] }), 'files.office.worker.mjs'],
  [
    'another setting',
    (version) => ({ ...version, compatibility_flags: ['nodejs_compat'] }),
    'compatibilityFlags',
  ],
  [
    'one binding more',
    (version) => ({
      ...version,
      bindings: [...(version.bindings ?? []), { name: 'X', type: 'secret_text' }],
    }),
    'binding.X',
  ],
])('%s than were uploaded are refused', async (_, changed, field) => {
  change = changed;
  await expect(publish(session(), fn(), report)).rejects.toMatchObject({
    code: 'DRIFT',
    happened: expect.stringContaining(field),
  });
});

test('bytes that are not those of the build are not sent', async () => {
  await writeFile(join(folder, 'office.worker.mjs'), `${code} `);
  await expect(publish(session(), fn(), report)).rejects.toMatchObject({ code: 'DRIFT' });
  expect(await uploaded()).toBeNull();
});

test('nobody who may call is a mistake, and so is a private key in their place', async () => {
  const { environment, ...rest } = session();
  const calledBy = (PLUGIN_CALLERS: string) =>
    publish({ ...rest, environment: { ...environment, PLUGIN_CALLERS } }, fn(), report);
  await expect(calledBy('')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await expect(calledBy('no JSON')).rejects.toMatchObject({ code: expect.stringMatching(/INVALID/) });
  await expect(calledBy(JSON.stringify({ keys: [{ ...jwk, d: 'x' }] }))).rejects.toThrow('private');
  expect(await uploaded()).toBeNull();
});
