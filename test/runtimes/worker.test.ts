import { execFile } from 'node:child_process';
import dns from 'node:dns';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Role } from '../../adapter/role/role.ts';
import type { Trace } from '../../adapter/shapes.ts';
import { PluginError } from '../../proto/error.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf, recordingLog } from '../support/invoke.ts';
import { ApiError, apiErrors } from './cloudflare-api.ts';
import { prepareWorker, type WorkerDeployment } from './worker-deployment.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../../adapter/cli/main.ts');

let office: WorkerDeployment;
let first: string;
let log: ReturnType<typeof recordingLog>;
let roles: Role<'ipfilter'>[];
let role: Role<'ipfilter'>;

beforeEach(async () => {
  office = await prepareWorker();
  first = await office.upload();
  await office.lock([first]);
  await office.configure();
  log = recordingLog();
  roles = [];
});
afterEach(async () => {
  await Promise.all(roles.map((one) => one.close()));
  await office.close();
  vi.restoreAllMocks();
});

function start(): Role<'ipfilter'> {
  role = new Role({ type: 'ipfilter', configPath: office.configPath, log, pollMs: 50 });
  roles.push(role);
  role.start();
  return role;
}

async function restart(): Promise<void> {
  await role.close();
  roles.pop();
  start();
}

/** What the host gets: evidence and version of the answer, or the error. */
async function see(): Promise<{ evidence?: string; version?: string; code?: string; happened?: string }> {
  const trace: Trace = {};
  const call = callOf(IPFilter.method.checkIP, { ip: '203.0.113.9', protocol: 'SSH' }, { trace });
  try {
    await role.handle(call);
    const { evidence = '', version = '' } = trace.facts ?? {};
    return { evidence, version };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    return { code: error.code, happened: error.happened };
  }
}

const eventually = async (wanted: object) =>
  await vi.waitFor(async () => expect(await see()).toMatchObject(wanted), { timeout: 15_000, interval: 100 });
const lines = (level: string) => log.lines.filter((line) => line.level === level).map(({ text }) => text);
const lookUps = () => office.cloudflare.requests.filter((line) => line.endsWith('/deployments')).length;

test('a Worker of the lock answers, observed; a gradual deployment of two locked versions too', async () => {
  start();
  expect(await see()).toEqual({ evidence: 'observed', version: first });
  const second = await office.upload({ code: (bundle) => `${bundle}\n// second\n` });
  await office.lock([first, second]);
  await role.refresh();
  await office.shift(first, second);
  const seen = new Set<string | undefined>();
  await vi.waitFor(
    async () => {
      const { evidence, version } = await see();
      expect(evidence).toBe('observed');
      seen.add(version);
      expect(seen).toEqual(new Set([first, second]));
    },
    { timeout: 20_000, interval: 20 },
  );
  expect(lines('error')).toEqual([]);
});

test('an honest new version is refused at its first answer; restored, service is back without a restart', async () => {
  await office.configure();
  start();
  expect(await see()).toMatchObject({ evidence: 'observed' });
  const other = await office.upload({ code: (bundle) => `${bundle} ` });
  await office.shift(other);
  expect(await see()).toMatchObject({ code: 'DRIFT' });
  expect(await see()).toEqual({
    code: 'DRIFT',
    happened: `version ${other} of office@live is deployed, and not in the lock`,
  });
  expect(lines('error')).toEqual([expect.stringContaining(`expected only versions of the lock: ${first}`)]);
  await office.shift(first);
  await eventually({ evidence: 'observed', version: first });
});

test('a bundle that lies about its version is caught by the timer', async () => {
  start();
  expect(await see()).toMatchObject({ evidence: 'observed' });
  const lie = { type: 'json', name: 'CF_VERSION_METADATA', json: { id: first, tag: '', timestamp: '' } };
  const names = ['PLUGIN_FUNCTION', 'PLUGIN_CALLERS', 'PLUGIN_KEY'].map((name) => ({ name }));
  const liar = await office.upload({ bindings: [...names, lie] });
  await office.shift(liar);
  await eventually({
    code: 'DRIFT',
    happened: `version ${liar} of office@live is deployed, and not in the lock`,
  });
  await office.shift(first);
  await eventually({ evidence: 'observed', version: first });
});

test.each([
  ['one byte', { code: (bundle: string) => `${bundle} ` }, 'sha256 of office.worker.mjs'],
  [
    'one binding',
    {
      bindings: [
        { name: 'PLUGIN_FUNCTION' },
        { name: 'PLUGIN_CALLERS' },
        { name: 'PLUGIN_KEY' },
        { name: 'CF_VERSION_METADATA' },
        { name: 'EXTRA', type: 'plain_text', text: 'x' },
      ],
    },
    'binding.EXTRA',
  ],
  ['one compatibility flag', { compatibilityFlags: ['global_navigator'] }, 'compatibilityFlags'],
])('%s other than the lock says: no call is sent, and verify names it', async (_, changes, field) => {
  // the lock of the good version, under the id of the changed one
  const changed = await office.upload(changes);
  const worker = office.cloudflare.workers.get('office');
  const [good, bad] = worker?.versions ?? [];
  if (worker === undefined || good === undefined || bad === undefined) throw new Error('not uploaded');
  worker.versions[1] = { ...good, id: changed };
  await office.lock([changed]);
  worker.versions[1] = bad;
  await office.shift(changed);
  start();
  expect(await see()).toMatchObject({
    code: 'DRIFT',
    happened: expect.stringContaining(`version ${changed} of office@live has ${field} `),
  });
  const verify = run(process.execPath, [main, 'verify', '--json', '--config', office.configPath]);
  const { stdout, code } = (await verify.catch((error: unknown) => error)) as {
    stdout: string;
    code?: number;
  };
  expect(code).toBe(1);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.filter(({ ok }) => !ok)).toEqual([
    expect.objectContaining({
      function: 'office@live',
      target: 'worker',
      version: changed,
      field,
      evidence: 'observed',
    }),
  ]);
  worker.versions[1] = { ...good, id: changed };
  await eventually({ evidence: 'observed' });
});

test('verify of a deployment as the lock says has a row for each field, and exit 0', async () => {
  const { stdout } = await run(process.execPath, [main, 'verify', '--json', '--config', office.configPath]);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { field: string; ok: boolean });
  expect(rows.every(({ ok }) => ok)).toBe(true);
  expect(rows.map(({ field }) => field)).toEqual([
    'sha256 of office.worker.mjs',
    'binding.CF_VERSION_METADATA',
    'binding.PLUGIN_CALLERS',
    'binding.PLUGIN_FUNCTION',
    'binding.PLUGIN_KEY',
    'compatibilityDate',
    'compatibilityFlags',
    'containers',
    'mainModule',
    'module.office.worker.mjs',
    'tailConsumers',
    'worker',
    'plugin-version',
  ]);
});

test.each([
  ['unreachable', 'cut', 'cannot be reached'],
  ['forbidden', apiErrors.forbidden(), 'forbids to look'],
  ['throttled', apiErrors.throttled(), 'throttles'],
  ['down', new ApiError(500, 10000, 'internal'), 'cannot be reached (500'],
] as const)(
  'the API %s: what was verified serves on, after a restart too; a new version is not accepted',
  async (_, how, said) => {
    start();
    expect(await see()).toMatchObject({ evidence: 'observed' });
    const second = await office.upload({ code: (bundle) => `${bundle}\n` });
    await office.lock([first, second]);
    office.cloudflare.fail(how);
    await role.refresh();
    await vi.waitFor(() => expect(lines('warn').join()).toContain(said), { timeout: 10_000 });
    expect(await see()).toMatchObject({ evidence: 'observed', version: first });
    await restart();
    expect(await see()).toMatchObject({ evidence: 'observed', version: first });
    const worker = office.cloudflare.workers.get('office');
    worker?.deploy([{ version_id: second, percentage: 100 }]);
    expect(await see()).toMatchObject({ code: 'UNREACHABLE' });
    office.cloudflare.fail(undefined);
    await eventually({ evidence: 'observed', version: second });
  },
);

test('the API away at the first start: no call is sent until it answers', async () => {
  office.cloudflare.fail('cut');
  start();
  expect(await see()).toMatchObject({
    code: 'UNREACHABLE',
    happened: expect.stringContaining('cannot be reached'),
  });
  office.cloudflare.fail(undefined);
  await eventually({ evidence: 'observed' });
});

test('a bundle that reports another id with every answer costs ten look-ups a minute', async () => {
  await office.configure({ token: true });
  const random = '({id:crypto.randomUUID()})';
  const liar = await office.upload({
    code: (bundle) => bundle.replace(/\w+\(\w+,"CF_VERSION_METADATA"\)/, random),
  });
  const [, uploaded] = office.cloudflare.workers.get('office')?.versions ?? [];
  expect(Buffer.from(uploaded?.modules[0]?.bytes ?? '').toString()).toContain(random);
  start();
  expect(await see()).toMatchObject({ evidence: 'observed' });
  // as many answers of unknown versions as a login storm brings: the timer's looks come on top
  const began = lookUps();
  const startedMs = performance.now();
  const worker = office.cloudflare.workers.get('office');
  const known = worker?.deployments[0];
  for (let n = 0; n < 30; n++) {
    if (worker && known)
      worker.deployments[0] = { ...known, versions: [{ version_id: liar, percentage: 100 }] };
    await see();
    if (worker && known) worker.deployments[0] = known;
  }
  const timer = Math.ceil((performance.now() - startedMs) / 1000) + 1;
  expect(lookUps() - began).toBeLessThanOrEqual(10 + timer);
});

test('without a token: claimed, and the start says so', async () => {
  await office.configure({ token: false });
  start();
  expect(await see()).toEqual({ evidence: 'claimed', version: first });
  expect(lines('info').join()).toContain('evidence=claimed: the function signs its version id');
  expect(lookUps()).toBe(0);
});

test('pin: version-url calls the address of one version, whatever else takes the traffic: platform', async () => {
  const lookup = dns.lookup;
  const toLoopback = ((host: string, ...rest: unknown[]) =>
    Reflect.apply(lookup, dns, [
      host.endsWith('.workers.dev') ? '127.0.0.1' : host,
      ...rest,
    ])) as typeof dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(toLoopback);
  const { port } = new URL(await office.cloudflare.urlOf('office'));
  const address = `https://office.acme.workers.dev:${port}`;
  await office.lock([first], address);
  await office.configure({ section: 'pin: version-url, integrity: { require: platform }' });
  start();
  expect(await see()).toEqual({ evidence: 'platform', version: first });
  const second = await office.upload({ code: (bundle) => `${bundle}\n` });
  await office.shift(second);
  expect(await see()).toEqual({ evidence: 'platform', version: first });
  await office.lock([first, second], address);
  await role.refresh();
  expect(await see()).toEqual({ evidence: 'platform', version: second });
  expect(lines('error')).toEqual([]);
});
