import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { lockedFunction, recordingLog } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { failure as errorOf } from '../../../test/support/policies.ts';
import type { Verifier } from '../../shapes.ts';
import { type KnownVersions, openKnownVersions } from '../known-versions.ts';
import type { DeployedVersion } from './compare.ts';
import { lambdaConfig } from './configuration.ts';
import { lambdaVerifier } from './evidence.ts';

const hex = (byte: string) => byte.repeat(32);
const base64 = (byte: string) => Buffer.from(hex(byte), 'hex').toString('base64');
const settings = { Handler: 'index.handler', Runtime: 'nodejs24.x', Role: 'arn' } as const;
const aws = (byte: string, changed: Partial<DeployedVersion> = {}): DeployedVersion => ({
  CodeSha256: base64(byte),
  ...settings,
  RevisionId: 'r1',
  LastModified: '2026-01-01',
  ...changed,
});
const accepted = (version: string, byte: string) => ({
  version,
  files: { 'office.lambda.zip': hex(byte) },
  config: lambdaConfig(settings),
  inputs: {},
});
const locked = {
  ...lockedFunction('arn', newKey()),
  target: 'lambda' as const,
  accepts: [accepted('6', 'aa'), accepted('7', 'bb')],
};
const signal = () => AbortSignal.timeout(5000);

let deployed: ReturnType<typeof vi.fn<(version: string) => Promise<DeployedVersion>>>;
let log: ReturnType<typeof recordingLog>;
let known: KnownVersions;
let reports: (PluginError | undefined)[];
let verifier: Verifier;

function open(functionOfLock: LockedFunction = locked): Verifier {
  return lambdaVerifier('office@live', functionOfLock, {
    deployed,
    probe: async () => ({ executed: '7' }),
    known,
    log,
    report: (drift) => reports.push(drift),
    watchMs: 60_000,
  });
}

/** What a call gets: the version to call, or the code of the error. */
const see = async (of = verifier) => await of.pin(signal()).catch(({ code }) => code);
const later = async (ms: number) => await vi.advanceTimersByTimeAsync(ms);
const lines = (level: string) => log.lines.filter((line) => line.level === level).map(({ text }) => text);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
  deployed = vi.fn(async (version: string) => aws(version === '7' ? 'bb' : 'aa'));
  log = recordingLog();
  known = openKnownVersions(undefined, log);
  reports = [];
  verifier = open();
});
afterEach(() => vi.useRealTimers());

test('the last version of the lock is called, and AWS is asked for it once per start', async () => {
  expect(await Promise.all([see(), see()])).toEqual(['7', '7']);
  expect(await see()).toBe('7');
  expect(deployed.mock.calls).toEqual([['7']]);
});

test.each<[string, DeployedVersion, string, string]>([
  ['code', aws('cc'), `has the code ${base64('cc')}`, `CodeSha256 ${base64('bb')} (the lock)`],
  ['settings', aws('bb', { Handler: 'x.y' }), 'has handler x.y', 'handler index.handler (the lock)'],
  ['both', aws('cc', { Handler: 'x.y' }), 'and differs in handler', 'CodeSha256'],
])(
  'other %s: refused, at most one look a second, and served again when it is mended',
  async (_, other, happened, expected) => {
    deployed.mockResolvedValueOnce(other);
    const found = {
      code: 'DRIFT',
      happened: expect.stringContaining(happened),
      expected: expect.stringContaining(expected),
    };
    await expect(verifier.pin(signal())).rejects.toMatchObject(found);
    await expect(verifier.pin(signal())).rejects.toMatchObject(found);
    expect(deployed).toHaveBeenCalledOnce();
    expect(reports).toEqual([expect.objectContaining(found)]);
    await later(1000);
    expect(await see()).toBe('DRIFT');
    await later(0);
    expect(await see()).toBe('7');
    expect(deployed).toHaveBeenCalledTimes(2);
    expect(reports.at(-1)).toBeUndefined();
  },
);

test('drift stays drift while AWS is asked again, however long that takes, and while it does not answer', async () => {
  deployed.mockResolvedValueOnce(aws('cc'));
  expect(await see()).toBe('DRIFT');
  await later(1000);
  const look = Promise.withResolvers<DeployedVersion>();
  deployed.mockReturnValueOnce(look.promise);
  expect(await see()).toBe('DRIFT');
  look.reject(errorOf('UNREACHABLE'));
  await later(0);
  expect(await see()).toBe('DRIFT');
});

test('no answer of the control plane, no call; and a second later it is asked again', async () => {
  deployed.mockRejectedValueOnce(errorOf('UNREACHABLE'));
  expect([await see(), await see()]).toEqual(['UNREACHABLE', 'UNREACHABLE']);
  expect(deployed).toHaveBeenCalledOnce();
  expect(lines('error')).toEqual([expect.stringContaining('effect=calls are refused until it answers')]);
  await later(1000);
  expect(await see()).toBe('7');
});

test('a call waits for the look no longer than its deadline; the look goes on', async () => {
  const look = Promise.withResolvers<DeployedVersion>();
  deployed.mockReturnValueOnce(look.promise);
  const abort = new AbortController();
  const waiting = verifier.pin(abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE' });
  await expect(verifier.pin(abort.signal)).rejects.toMatchObject({ code: 'DEADLINE' });
  look.resolve(aws('bb'));
  expect(await see()).toBe('7');
  expect(deployed).toHaveBeenCalledOnce();
});

test('the watch looks after the start and every minute, refuses drift, and serves again without a call', async () => {
  const stop = verifier.watch?.();
  await later(0);
  expect(deployed).toHaveBeenCalledTimes(1);
  expect(await see()).toBe('7');
  deployed.mockResolvedValueOnce(aws('bb', { Role: 'admin' }));
  await later(60_000);
  expect(await see()).toBe('DRIFT');
  expect(reports).toEqual([expect.objectContaining({ happened: 'version 7 of office@live has role admin' })]);
  await later(60_000);
  expect(reports.at(-1)).toBeUndefined();
  expect(await see()).toBe('7');
  const before = deployed.mock.calls.length;
  stop?.();
  await later(600_000);
  expect(deployed).toHaveBeenCalledTimes(before);
});

test('a function that is gone is drift', async () => {
  const stop = verifier.watch?.();
  await later(0);
  deployed.mockRejectedValue(errorOf('DRIFT'));
  await later(60_000);
  expect(await see()).toBe('DRIFT');
  stop?.();
});

test('what was verified serves on while AWS does not answer, with one line a minute and one at the end', async () => {
  const stop = verifier.watch?.();
  await later(0);
  deployed.mockRejectedValue(errorOf('UNREACHABLE'));
  await later(180_000);
  expect(await see()).toBe('7');
  expect(lines('warn')).toEqual(
    Array(3).fill(expect.stringContaining('effect=what was verified before serves on')),
  );
  deployed.mockResolvedValue(aws('bb'));
  await later(60_000);
  expect(lines('info')).toEqual(['the Lambda API answers again function=office@live']);
  stop?.();
});

test('after a restart, what was verified before serves while AWS fails, and nothing else', async () => {
  await see();
  deployed.mockRejectedValue(errorOf('UNREACHABLE'));
  expect(await see(open())).toBe('7');
  const newer = { ...locked, accepts: [accepted('8', 'bb')] };
  const settled = { ...accepted('7', 'bb'), config: { ...accepted('7', 'bb').config, role: 'other' } };
  for (const other of [newer, { ...locked, accepts: [settled] }, { ...locked, address: 'other' }]) {
    expect(await see(open(other))).toBe('UNREACHABLE');
  }
});

test('after a restart, a look that hangs holds calls up for a second; drift that it finds then ends them', async () => {
  await see();
  const look = Promise.withResolvers<DeployedVersion>();
  deployed.mockReturnValueOnce(look.promise);
  const restarted = open();
  const seen = see(restarted);
  await later(1000);
  expect(await seen).toBe('7');
  look.resolve(aws('cc'));
  await later(0);
  expect(await see(restarted)).toBe('DRIFT');
});

test('what has drifted does not count as verified after a restart', async () => {
  await see();
  deployed.mockResolvedValueOnce(aws('cc'));
  expect(await see(open())).toBe('DRIFT');
  await later(0);
  deployed.mockRejectedValue(errorOf('UNREACHABLE'));
  expect(await see(open())).toBe('UNREACHABLE');
});

test('created again with the same code: served, with a WARN; another revision alone: served, with a note', async () => {
  const stop = verifier.watch?.();
  await later(0);
  deployed.mockResolvedValue(aws('bb', { RevisionId: 'r2' }));
  await later(120_000);
  expect([lines('warn'), lines('info')]).toEqual([[], [expect.stringContaining('has another revision')]]);
  deployed.mockResolvedValue(aws('bb', { RevisionId: 'r3', LastModified: '2026-02-02' }));
  await later(120_000);
  expect(lines('warn')).toEqual([
    expect.stringMatching(/^version 7 of office@live is not the one .* of 2026-02-02 instead of 2026-01-01/),
  ]);
  expect(await see()).toBe('7');
  expect((await known.get('office@live', '7'))?.facts).toEqual({
    RevisionId: 'r3',
    LastModified: '2026-02-02',
  });
  stop?.();
});

const answer = { status: 200, headers: [], body: new Uint8Array() };

test('platform, if AWS ran the version that was called', () => {
  expect(verifier.accept('7', { ...answer, executed: '7' }, 'a build', signal())).toBe('platform');
});

test('an answer that was under way when drift was found is refused', async () => {
  deployed.mockResolvedValueOnce(aws('cc'));
  await see();
  expect(() => verifier.accept('7', { ...answer, executed: '7' }, 'a build', signal())).toThrow(
    expect.objectContaining({ code: 'DRIFT', happened: expect.stringContaining('has the code') }),
  );
});

test.each([
  ['another version', '7', { executed: '6' }],
  ['$LATEST', '7', { executed: '$LATEST' }],
  ['none named', '7', { executed: '' }],
  ['nothing said', '7', {}],
  ['a version that is not the pin of the lock', '6', { executed: '6' }],
])('%s is drift', (_, pin, executed) => {
  expect(() => verifier.accept(pin, { ...answer, ...executed }, 'a build', signal())).toThrow(
    expect.objectContaining({ code: 'DRIFT' }),
  );
});

test('audit compares every field of every version of the lock, and asks the function only if all are right', async () => {
  const fields = Object.keys(lambdaConfig(settings));
  const findings = await verifier.audit(signal());
  expect(
    findings.map(({ version, field, ok, target, evidence }) => [version, field, ok, target, evidence]),
  ).toEqual([
    ...['6', '7'].flatMap((version) =>
      ['code sha256', ...fields].map((field) => [version, field, true, 'lambda', 'platform']),
    ),
    ['7', 'executed version', true, 'lambda', 'platform'],
  ]);
  deployed.mockRejectedValueOnce(errorOf('UNREACHABLE'));
  deployed.mockResolvedValueOnce(aws('bb', { Handler: 'x.y' }));
  const bad = (await verifier.audit(signal())).filter(({ ok }) => !ok);
  expect(bad.map(({ version, field, expected, found }) => [version, field, expected, found])).toEqual([
    ['6', 'code sha256', base64('aa'), 'UNREACHABLE: UNREACHABLE'],
    ['7', 'handler', 'index.handler', 'x.y'],
  ]);
});

test('a lock without configuration: the code is compared, and audit says that nothing else is', async () => {
  const plain = open({ ...locked, accepts: [{ ...accepted('7', 'bb'), config: {} }] });
  deployed.mockResolvedValue(aws('bb', { Handler: 'x.y' }));
  expect(await see(plain)).toBe('7');
  const findings = await plain.audit(signal());
  expect(findings.find(({ field }) => field === 'config')).toMatchObject({ found: 'not compared', ok: true });
});

test.each([
  ['none', {}],
  ['two', { 'a.zip': hex('aa'), 'b.zip': hex('bb') }],
])('a version with %s files is no version of a lambda function', (_, files) => {
  expect(() => open({ ...locked, accepts: [{ ...accepted('7', 'bb'), files }] })).toThrow(
    expect.objectContaining({ code: 'LOCK_INVALID' }),
  );
});
