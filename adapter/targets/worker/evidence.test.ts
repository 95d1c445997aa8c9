import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ErrorCode, PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { lockedFunction, recordingLog } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import type { Verifier } from '../../shapes.ts';
import { UnreachableError } from '../https/send.ts';
import { type KnownVersions, openKnownVersions } from '../known-versions.ts';
import type { WorkerApi } from './api.ts';
import { workerConfig, workerFiles } from './configuration.ts';
import { workerVerifier } from './evidence.ts';
import type { FoundVersion, FoundWorker } from './found.ts';

const [one, two, three] = ['1', '2', '3'].map(
  (digit) => `${digit.repeat(8)}-aaaa-4aaa-8aaa-${digit.repeat(12)}`,
) as [string, string, string];
const code = (text: string) => Buffer.from(text).toString('base64');
const version = (id: string, changed: Partial<FoundVersion> = {}): FoundVersion => ({
  id,
  main_module: 'office.mjs',
  compatibility_date: '2026-07-01',
  compatibility_flags: ['nodejs_compat'],
  bindings: [
    { name: 'PLUGIN_KEY', type: 'secret_text' },
    { name: 'BANS', type: 'kv_namespace', namespace_id: 'a1' },
  ],
  modules: [{ name: 'office.mjs', content_type: 'application/javascript+module', content_base64: code(id) }],
  ...changed,
});
const office: FoundWorker = { name: 'office', tail_consumers: [] };
const accepted = (id: string) => ({
  version: id,
  files: workerFiles(version(id)),
  config: workerConfig(version(id), office),
  inputs: {},
});
const locked: LockedFunction = {
  ...lockedFunction('https://office.acme.workers.dev', newKey()),
  target: 'worker',
  accepts: [accepted(one), accepted(two)],
};
const answer = { status: 200, headers: [], body: new Uint8Array() };
const signal = () => AbortSignal.timeout(5000);
const day = 86_400_000;

/** What Cloudflare has, and how often it was asked; `down`: what every question gets instead. */
let cloud: { versions: Map<string, FoundVersion>; active: string[]; worker: FoundWorker; down?: PluginError };
let asked: string[];
let log: ReturnType<typeof recordingLog>;
let reports: (string | undefined)[];
/** What outlasts a restart. */
let known: KnownVersions;
let stops: (() => void)[];

const api: WorkerApi = {
  async deployed() {
    asked.push('deployed');
    if (cloud.down) throw cloud.down;
    return cloud.active.map((id) => ({ version_id: id, percentage: 100 / cloud.active.length }));
  },
  async version(id) {
    asked.push(id);
    if (cloud.down) throw cloud.down;
    return cloud.versions.get(id) ?? version(id);
  },
  async worker() {
    if (cloud.down) throw cloud.down;
    return cloud.worker;
  },
};

function open(changes: { api?: undefined; byVersionUrl?: boolean; known?: KnownVersions } = {}): Verifier {
  return workerVerifier('office@live', locked, {
    api,
    watchMs: undefined,
    byVersionUrl: false,
    probe: async () => ({ build: cloud.active[0] ?? '' }),
    known,
    log,
    report: (drift) => void reports.push(drift?.happened),
    ...changes,
  });
}

const failure = (errorCode: ErrorCode, happened = 'down') =>
  errorCode === 'UNREACHABLE'
    ? new UnreachableError(happened, true, undefined)
    : new PluginError(errorCode, { happened, expected: '', remedy: '' });

/** What a call gets: the evidence of its answer, or the error's code and what happened. */
async function call(verifier: Verifier, claimed: string | undefined): Promise<string> {
  try {
    const pin = await verifier.pin(signal());
    return await verifier.accept(pin, answer, claimed, signal());
  } catch (error) {
    return error instanceof PluginError ? `${error.code}: ${error.happened}` : String(error);
  }
}

function watch(verifier: Verifier): Verifier {
  const stop = verifier.watch?.();
  if (stop) stops.push(stop);
  return verifier;
}

const later = async (ms: number) => await vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    now: Date.parse('2026-11-01T00:00:00Z'),
  });
  cloud = { versions: new Map(), active: [one], worker: office };
  asked = [];
  reports = [];
  stops = [];
  log = recordingLog();
  known = openKnownVersions(undefined, log);
});
afterEach(() => {
  for (const stop of stops) stop();
  vi.useRealTimers();
});

test('observed: the deployment is compared before the first call, and a version is read once', async () => {
  const verifier = open();
  expect(await Promise.all([call(verifier, one), call(verifier, one)])).toEqual(['observed', 'observed']);
  expect(asked).toEqual(['deployed', one]);
});

test('a gradual deployment: old and new in the lock are both taken', async () => {
  cloud.active = [one, two];
  const verifier = open();
  expect(await call(verifier, one)).toBe('observed');
  expect(await call(verifier, two)).toBe('observed');
  expect(asked).toEqual(['deployed', one, two]);
});

test('a version in the deployment that is not in the lock stops every call, also those of good versions', async () => {
  cloud.active = [one, three];
  expect(await call(open(), one)).toBe(
    `DRIFT: version ${three} of office@live is deployed, and not in the lock`,
  );
});

const changes: readonly (readonly [what: string, changed: Partial<FoundVersion>, field: string])[] = [
  [
    'one byte',
    {
      modules: [
        {
          name: 'office.mjs',
          content_type: 'application/javascript+module',
          content_base64: code(`${one} `),
        },
      ],
    },
    'sha256 of office.mjs',
  ],
  [
    'one more module',
    {
      modules: [
        ...(version(one).modules ?? []),
        { name: 'x.wasm', content_type: 'application/wasm', content_base64: '' },
      ],
    },
    'sha256 of x.wasm',
  ],
  ['no module', { modules: [] }, 'sha256 of office.mjs'],
  [
    "a module's type",
    { modules: [{ name: 'office.mjs', content_type: 'text/plain', content_base64: code(one) }] },
    'module.office.mjs',
  ],
  ['another main module', { main_module: 'x.mjs' }, 'mainModule'],
  ['another compatibility date', { compatibility_date: '2026-07-02' }, 'compatibilityDate'],
  ['one flag more', { compatibility_flags: ['nodejs_compat', 'unsafe'] }, 'compatibilityFlags'],
  [
    'another namespace',
    {
      bindings: [
        { name: 'PLUGIN_KEY', type: 'secret_text' },
        { name: 'BANS', type: 'kv_namespace', namespace_id: 'b2' },
      ],
    },
    'binding.BANS',
  ],
  ['a binding less', { bindings: [{ name: 'PLUGIN_KEY', type: 'secret_text' }] }, 'binding.BANS'],
  [
    'a binding more',
    { bindings: [...(version(one).bindings ?? []), { name: 'NEXT', type: 'service', service: 'spy' }] },
    'binding.NEXT',
  ],
  [
    'a secret that is a plain text now',
    {
      bindings: [
        { name: 'PLUGIN_KEY', type: 'plain_text', text: 'a' },
        { name: 'BANS', type: 'kv_namespace', namespace_id: 'a1' },
      ],
    },
    'binding.PLUGIN_KEY',
  ],
  ['a container', { containers: [{ class_name: 'X' }] }, 'containers'],
];

test.each(changes)('%s is drift that names the field', async (_, changed, field) => {
  cloud.versions.set(one, version(one, changed));
  const seen = await call(open(), one);
  expect(seen).toContain(`DRIFT: version ${one} of office@live has ${field} `);
});

test.each(changes)('verify shows it: %s', async (_, changed, field) => {
  cloud.versions.set(one, version(one, changed));
  const bad = (await open().audit(signal())).filter(({ ok }) => !ok).map((row) => [row.version, row.field]);
  expect(bad).toContainEqual([one, field]);
});

test('verify shows every field of every version that takes traffic, and what the function says of itself', async () => {
  cloud.active = [one, two];
  const rows = await open().audit(signal());
  expect(rows.every(({ ok }) => ok)).toBe(true);
  const fields = ['sha256 of office.mjs', ...Object.keys(accepted(one).config).sort()];
  expect(rows.map((row) => [row.version, row.field, row.evidence])).toEqual([
    ...fields.map((field) => [one, field, 'observed']),
    ...fields.map((field) => [two, field, 'observed']),
    [one, 'plugin-version', 'claimed'],
  ]);
  cloud.active = [one, three];
  expect((await open().audit(signal())).find(({ ok }) => !ok)).toMatchObject({
    version: three,
    field: 'version',
    expected: `${one} or ${two}`,
    found: `${three}, with 50 % of the traffic`,
  });
});

test('verify without an answer of the API is no success', async () => {
  cloud.down = failure('UNREACHABLE', 'no route');
  expect(await open().audit(signal())).toMatchObject([
    { field: 'deployment', found: 'UNREACHABLE: no route', ok: false },
  ]);
});

test('a tail consumer is found at the next look, though versions are not read again', async () => {
  const verifier = watch(open());
  expect(await call(verifier, one)).toBe('observed');
  cloud.worker = { name: 'office', tail_consumers: [{ name: 'spy' }] };
  await later(60_000);
  expect(await call(verifier, one)).toBe(`DRIFT: version ${one} of office@live has tailConsumers ["spy"]`);
  expect(asked.filter((id) => id === one)).toHaveLength(1);
});

test('a bundle that lies about its version is caught at the next look, and service returns when it is mended', async () => {
  const verifier = watch(open());
  expect(await call(verifier, one)).toBe('observed');
  cloud.active = [three];
  expect(await call(verifier, one)).toBe('observed');
  await later(60_000);
  expect(await call(verifier, one)).toContain(`DRIFT: version ${three}`);
  expect(reports).toEqual([`version ${three} of office@live is deployed, and not in the lock`]);
  cloud.active = [one];
  await later(60_000);
  expect(await call(verifier, one)).toBe('observed');
  expect(reports.at(-1)).toBeUndefined();
});

test('an answer that was under way when the deployment drifted is not used', async () => {
  const verifier = watch(open());
  const pin = await verifier.pin(signal());
  cloud.active = [three];
  await later(60_000);
  const late = Promise.resolve(verifier.accept(pin, answer, one, signal()));
  await expect(late).rejects.toMatchObject({ code: 'DRIFT' });
});

test('an honest version that is not in the lock is refused at its first answer, and the next call is not sent', async () => {
  const verifier = open();
  expect(await call(verifier, one)).toBe('observed');
  expect(await call(verifier, three)).toBe(`DRIFT: office@live runs version ${three}`);
  cloud.active = [three];
  expect(await call(verifier, three)).toContain(`DRIFT: version ${three} of office@live is deployed`);
  await expect(verifier.pin(signal())).rejects.toMatchObject({ code: 'DRIFT' });
});

test('an answer without a version, or with a build id, is refused with what to do', async () => {
  const verifier = open();
  expect(await call(verifier, undefined)).toContain('DRIFT: office@live runs a version without an id');
  const build = 'ab'.repeat(32);
  const pin = await open().pin(signal());
  const refused = Promise.resolve(open().accept(pin, answer, build, signal()));
  await expect(refused).rejects.toMatchObject({ remedy: expect.stringContaining('CF_VERSION_METADATA') });
});

test('ids that nobody knows cost ten looks a minute', async () => {
  const verifier = open();
  expect(await call(verifier, one)).toBe('observed');
  const looks = () => asked.filter((what) => what === 'deployed').length;
  for (let n = 0; n < 40; n++) expect(await call(verifier, `liar-${n}`)).toContain('DRIFT');
  expect(looks()).toBe(11);
  expect(await call(verifier, one)).toBe('observed');
  await later(60_000);
  expect(await call(verifier, 'liar')).toContain('DRIFT');
  expect(looks()).toBe(12);
});

test('a new version of the lock is taken at its first answer, before the API lists it as well', async () => {
  const verifier = open();
  expect(await call(verifier, one)).toBe('observed');
  expect(await call(verifier, two)).toBe('observed');
  cloud.versions.set(two, version(two, { compatibility_date: '2020-01-01' }));
  const other = open({ known: openKnownVersions(undefined, log) });
  expect(await call(other, one)).toBe('observed');
  expect(await call(other, two)).toContain(`DRIFT: version ${two} of office@live has compatibilityDate`);
});

test('the API away: what was verified serves on for seven days, and no other version', async () => {
  const verifier = watch(open());
  expect(await call(verifier, one)).toBe('observed');
  cloud.down = failure('UNREACHABLE', 'no route');
  await later(6 * day);
  expect(await call(verifier, one)).toBe('observed');
  expect(await call(verifier, two)).toBe(
    `UNREACHABLE: version ${two} of office@live answered, and was not compared yet`,
  );
  await later(day + 60_000);
  expect(await call(verifier, one)).toBe('UNREACHABLE: no route');
  const warned = log.lines.filter(({ level }) => level === 'warn').map(({ text }) => text);
  expect(warned[0]).toContain('no route');
  expect(warned[0]).toContain('what was verified before serves on until 2026-11-08T');
  cloud = { versions: new Map(), active: [one], worker: office };
  await later(60_000);
  expect(await call(verifier, one)).toBe('observed');
});

test('the API away at a start: what was verified before it serves on, and the seven days go on', async () => {
  const before = watch(open());
  expect(await call(before, one)).toBe('observed');
  await later(3 * day);
  for (const stop of stops.splice(0)) stop();
  cloud.down = failure('UNREACHABLE', 'no route');
  const after = open();
  expect(await call(after, one)).toBe('observed');
  expect(await call(after, two)).toContain('UNREACHABLE');
  await later(7 * day - 3_700_000);
  expect(await call(open(), one)).toBe('observed');
  await later(3_800_000);
  expect(await call(open(), one)).toBe('UNREACHABLE: no route');
});

test('the API away at the first start: no call is sent', async () => {
  cloud.down = failure('UNREACHABLE', 'no route');
  await expect(open().pin(signal())).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test('a clock that was set back does not make seven days longer', async () => {
  expect(await call(open(), one)).toBe('observed');
  vi.setSystemTime(Date.parse('2026-10-01T00:00:00Z'));
  cloud.down = failure('UNREACHABLE', 'no route');
  expect(await call(open(), one)).toBe('UNREACHABLE: no route');
});

test('another entry in the lock for the same version is compared again', async () => {
  expect(await call(open(), one)).toBe('observed');
  cloud.down = failure('UNREACHABLE', 'no route');
  const [entry] = locked.accepts;
  const changed = { ...locked, accepts: [{ ...accepted(one), files: { ...entry?.files, 'b.mjs': 'aa' } }] };
  const verifier = workerVerifier('office@live', changed, {
    api,
    watchMs: undefined,
    byVersionUrl: false,
    probe: async () => ({}),
    known,
    log,
    report: () => undefined,
  });
  expect(await call(verifier, one)).toBe('UNREACHABLE: no route');
});

test('drift outlasts a restart during which the API is away', async () => {
  const verifier = watch(open());
  expect(await call(verifier, one)).toBe('observed');
  cloud.active = [three];
  await later(60_000);
  cloud.down = failure('UNREACHABLE', 'no route');
  expect(await call(verifier, one)).toContain('DRIFT');
  expect(await call(open(), one)).toBe('UNREACHABLE: no route');
});

test('after a call was sent, an API that is away is no reason to send it again', async () => {
  const verifier = open();
  expect(await call(verifier, one)).toBe('observed');
  cloud.down = failure('UNREACHABLE', 'no route');
  const refused = Promise.resolve(verifier.accept('', answer, two, signal()));
  await expect(refused).rejects.toMatchObject({ code: 'UNREACHABLE', notExecuted: false });
  const fresh = open({ known: openKnownVersions(undefined, log) });
  const first = Promise.resolve(fresh.accept('', answer, one, signal()));
  await expect(first).rejects.toMatchObject({ happened: 'no route', notExecuted: false });
});

test('a call waits for a look no longer than its deadline', async () => {
  const waiting = vi.spyOn(api, 'worker').mockReturnValueOnce(new Promise(() => undefined));
  const abort = new AbortController();
  const call = open().pin(abort.signal);
  abort.abort();
  await expect(call).rejects.toMatchObject({ code: 'DEADLINE' });
  waiting.mockRestore();
});

test('without a token: claimed, for the versions of the lock', async () => {
  const verifier = open({ api: undefined });
  expect(await call(verifier, one)).toBe('claimed');
  expect(await call(verifier, three)).toBe(`DRIFT: office@live runs version ${three}`);
  expect(verifier.watch).toBeUndefined();
  expect(await verifier.audit(signal())).toMatchObject([
    { field: 'plugin-version', evidence: 'claimed', ok: true },
  ]);
  expect(asked).toEqual([]);
});

test('by version URL: platform, for the last version of the lock alone, whatever else takes traffic', async () => {
  cloud.active = [three];
  const verifier = open({ byVersionUrl: true });
  expect(await verifier.pin(signal())).toBe(two);
  expect(await call(verifier, two)).toBe('platform');
  expect(await call(verifier, one)).toBe(`DRIFT: office@live runs version ${one}`);
  expect(asked).toEqual([two]);
  cloud.versions.set(two, version(two, { main_module: 'x.mjs' }));
  const fresh = open({ byVersionUrl: true, known: openKnownVersions(undefined, log) });
  expect(await call(fresh, two)).toContain('DRIFT: version');
  const blind = open({ byVersionUrl: true, api: undefined });
  expect(await call(blind, two)).toBe('platform');
  expect(await call(blind, one)).toContain('DRIFT');
});

test('a state folder that hangs does not end the looks: drift is found and mended', async () => {
  const hangs = () => new Promise<never>(() => undefined);
  const verifier = watch(
    open({ known: { get: async () => undefined, put: hangs, forget: hangs, settled: hangs } }),
  );
  expect(await call(verifier, one)).toBe('observed');
  cloud.active = [three];
  await later(60_000);
  expect(await call(verifier, one)).toContain('DRIFT');
  cloud.active = [one];
  await later(60_000);
  expect(await call(verifier, one)).toBe('observed');
});
