import { readFile, rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { type FunctionServer, startFunction } from '../../test/support/function-server.ts';
import { callOf, recordingLog } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { codeOf } from '../../test/support/policies.ts';
import { makeRoleFolder, type RoleFolder } from '../../test/support/role-folder.ts';
import type { Trace } from '../shapes.ts';
import { hostError } from './host-error.ts';
import { Role } from './role.ts';

const pollMs = 10;
let folder: RoleFolder;
let served: FunctionServer;
let log: ReturnType<typeof recordingLog>;
let role: Role<'ipfilter'>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  folder = await makeRoleFolder('http://127.0.0.1:1');
  served = await startFunction(folder);
  await folder.lock({}, { address: served.url });
  log = recordingLog();
  role = new Role({ type: 'ipfilter', configPath: folder.configPath, log, pollMs });
});
afterEach(async () => {
  await role.close();
  await served.close();
  await folder.remove();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const call = (ip: string, trace: Trace = {}) =>
  callOf(IPFilter.method.checkIP, { ip, protocol: 'SSH' }, { trace });

/** What a host gets: a code, and who answered if it was not the function. */
async function see(ip = '198.51.100.7'): Promise<string> {
  const trace: Trace = {};
  const code = await codeOf(role.handle(call(ip, trace)));
  return trace.answeredBy === undefined ? code : `${code} by ${trace.answeredBy}`;
}

const errors = () => log.lines.filter(({ level }) => level === 'error').map(({ text }) => text);

test('a call that comes before the files are read waits for them', async () => {
  role.start();
  expect([await see(), await see('192.0.2.66')]).toEqual(['answered', 'DENIED']);
  expect(log.lines.filter(({ level }) => level !== 'debug')).toEqual([
    {
      level: 'info',
      text: expect.stringMatching(
        /^serving type=ipfilter function=office@live target=https seq=1 evidence=claimed/,
      ),
    },
  ]);
});

test.each(['serverless.yaml', 'adapter.key.json', 'signers.jwks.json', 'bundles.lock.json'])(
  'a start without %s: every call is refused with FAILED_PRECONDITION, and it heals when the file is there',
  async (name) => {
    const text = await readFile(folder.at(name), 'utf8');
    await rm(folder.at(name));
    role.start();
    const error = await role.handle(call('127.0.0.1')).catch((thrown: unknown) => thrown);
    const { grpcCode, message } = hostError(error, 'c0ffee');
    expect(grpcCode).toBe(9);
    expect(message).toMatch(/its log says (where|which) \([A-Z_]+, call c0ffee\)$/);
    expect(message).not.toContain(folder.path);
    expect(errors()).toEqual([
      expect.stringMatching(/cannot be read \(ENOENT\).* effect=every call is refused until this is mended/),
    ]);
    await folder.write(name, text);
    await vi.waitFor(async () => expect(await see()).toBe('answered'));
    expect(log.lines.map(({ text: line }) => line)).toContainEqual(
      expect.stringContaining('the files are in order again'),
    );
  },
);

test('what breaks later is logged, and the last good reading serves on', async () => {
  role.start();
  await see();
  await folder.write('serverless.yaml', 'identity: [');
  await vi.waitFor(() => expect(errors()).toHaveLength(1));
  expect(errors()[0]).toContain('effect=the last good configuration stays in force');
  expect([await see(), await see('192.0.2.66')]).toEqual(['answered by cache', 'DENIED']);
});

test('an unmended problem is logged once a minute', async () => {
  await rm(folder.configPath);
  role.start();
  await role.refresh();
  vi.advanceTimersByTime(59_999);
  for (let times = 0; times < 5; times += 1) await role.refresh();
  expect(errors()).toHaveLength(1);
  vi.advanceTimersByTime(1);
  for (let times = 0; times < 5; times += 1) await role.refresh();
  expect(errors()).toHaveLength(2);
});

test('another problem is logged at once', async () => {
  await rm(folder.configPath);
  await role.refresh();
  await folder.write('serverless.yaml', '');
  await role.refresh();
  expect(errors().map((line) => /ENOENT|is empty/.exec(line)?.[0])).toEqual(['ENOENT', 'is empty']);
});

test('a key that leaves the lock is out of force, and so is what it said', async () => {
  role.start();
  expect([await see(), await see()]).toEqual(['answered', 'answered by cache']);
  await folder.lock({ seq: 2 }, { address: served.url, keys: [publicOf(newKey())] });
  await vi.waitFor(async () => expect(await see()).toBe('ANSWER_REFUSED'));
});

test('a lock with a lower seq is refused while the role runs', async () => {
  await folder.lock({ seq: 5 }, { address: served.url });
  role.start();
  await see();
  await folder.lock({ seq: 4 }, { address: served.url, keys: [publicOf(newKey())] });
  await vi.waitFor(() => expect(errors()).toEqual([expect.stringContaining('code=LOCK_ROLLBACK')]));
  expect(await see('198.51.100.8')).toBe('answered');
});

test('files that say the same keep what is remembered', async () => {
  await role.refresh();
  await see();
  await folder.lock({ seq: 2 }, { address: served.url });
  await folder.configure();
  await role.refresh();
  expect((await role.current()).files.seq).toBe(2);
  expect(await see()).toBe('answered by cache');
});

test('Reload reads the files and makes verdicts stale', async () => {
  await role.refresh();
  await see();
  expect(await codeOf(role.handle(callOf(IPFilter.method.reload, {})))).toBe('answered');
  expect(await see()).toBe('answered');
  await folder.lock({ seq: 2 }, { address: served.url, keys: [publicOf(newKey())] });
  expect(await codeOf(role.handle(callOf(IPFilter.method.reload, {})))).toBe('ANSWER_REFUSED');
});

test('what the function says before it has reloaded is asked again after it has', async () => {
  await role.refresh();
  await see();
  let isReloaded = (): void => undefined;
  const reloading = new Promise<void>((reached) => {
    served.intercept = async ({ url }, honest) => {
      if (!url.endsWith('/Reload')) return await honest();
      reached();
      await new Promise<void>((resolve) => {
        isReloaded = resolve;
      });
      return await honest();
    };
  });
  const reload = codeOf(role.handle(callOf(IPFilter.method.reload, {})));
  await reloading;
  expect([await see(), await see()]).toEqual(['answered', 'answered by cache']);
  isReloaded();
  expect(await reload).toBe('answered');
  expect([await see(), await see()]).toEqual(['answered', 'answered by cache']);
});

test('the timeout of the section ends a call before the deadline of the host', async () => {
  vi.useRealTimers();
  served.intercept = () => 'hang';
  await folder.configure(['timeout: 50ms']);
  await role.refresh();
  const call = callOf(IPFilter.method.checkIP, { ip: '192.0.2.1', protocol: 'SSH' }, { timeoutMs: 60_000 });
  expect(await codeOf(role.handle(call))).toBe('DEADLINE');
});

test('RPCs that the function does not handle: Reload has nothing to do, CheckIP is a wrong setup', async () => {
  await folder.lock({ seq: 2 }, { address: served.url, handles: ['CheckIP'] });
  await role.refresh();
  expect(await codeOf(role.handle(callOf(IPFilter.method.reload, {})))).toBe('answered');
  expect(served.requests).toHaveLength(0);
  await folder.lock({ seq: 3 }, { address: served.url, handles: ['Reload'] });
  await role.refresh();
  expect(await see()).toBe('CONFIG_INVALID');
});

test('integrity.require of the section is demanded', async () => {
  await folder.configure(['integrity: { require: platform }']);
  await role.refresh();
  expect(await see()).toBe('DRIFT');
});

test('an address for each version is for Workers: elsewhere it is a wrong setup', async () => {
  await folder.configure(['pin: version-url']);
  await role.refresh();
  expect(await see()).toBe('CONFIG_INVALID');
});

test('an expired lock: refused at once where the configuration says so, served and reported otherwise', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  await folder.lock({ seq: 2, expires: soon }, { address: served.url });
  role.start();
  await role.refresh();
  await vi.waitFor(() =>
    expect(log.lines).toContainEqual({ level: 'warn', text: expect.stringContaining(`expires=${soon}`) }),
  );
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(await see('127.0.0.1')).toBe('answered by always-allow');
  vi.advanceTimersByTime(3_600_000);
  await vi.waitFor(() => expect(errors()).toEqual([expect.stringContaining('the lock has expired')]));
  const config = await readFile(folder.configPath, 'utf8');
  await folder.write('serverless.yaml', config.replace('lock.json', 'lock.json, onExpired: refuse'));
  const strict = new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog() });
  vi.setSystemTime(Date.parse(soon) - 1000);
  await strict.refresh();
  expect(await codeOf(strict.handle(call('127.0.0.1')))).toBe('answered');
  vi.setSystemTime(Date.parse(soon));
  expect(await codeOf(strict.handle(call('127.0.0.1')))).toBe('LOCK_INVALID');
  await strict.close();
});

test('who asks for the generation, as `verify` does, gets it or what is wrong', async () => {
  const generation = await role.current();
  const signal = new AbortController().signal;
  expect(await generation.verifier.audit(signal)).toEqual([
    expect.objectContaining({ function: 'office@live', field: 'build id', ok: true }),
  ]);
  await rm(folder.configPath);
  await expect(role.current()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('health: not serving while files are wrong or the code has drifted; what a cache says changes nothing', async () => {
  const told: boolean[] = [];
  const watched = new Role({
    type: 'ipfilter',
    configPath: folder.configPath,
    log,
    pollMs,
    onServing: (serving) => told.push(serving),
  });
  const ask = async (ip: string) => await codeOf(watched.handle(call(ip)));
  await rm(folder.configPath);
  await watched.refresh();
  expect(told).toEqual([false]);
  await folder.configure();
  await watched.refresh();
  expect([await ask('198.51.100.7'), told]).toEqual(['answered', [false, true]]);
  served.intercept = async (request) =>
    await served.sign(request, { headers: { 'plugin-version': 'f'.repeat(64) } });
  expect([await ask('198.51.100.8'), told]).toEqual(['DRIFT', [false, true, false]]);
  expect([await ask('198.51.100.7'), told]).toEqual(['answered', [false, true, false]]);
  served.intercept = undefined;
  expect([await ask('198.51.100.8'), told]).toEqual(['answered', [false, true, false, true]]);
  await watched.close();
});
