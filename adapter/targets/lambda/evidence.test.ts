import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockedFunction } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { failure as errorOf } from '../../../test/support/policies.ts';
import type { Verifier } from '../../shapes.ts';
import { lambdaVerifier } from './evidence.ts';

const hex = (byte: string) => byte.repeat(32);
const base64 = (byte: string) => Buffer.from(hex(byte), 'hex').toString('base64');
const accepted = (version: string, byte: string) => ({
  version,
  files: { 'office.lambda.zip': hex(byte) },
  config: {},
  inputs: {},
});
const locked = { ...lockedFunction('arn', newKey()), accepts: [accepted('6', 'aa'), accepted('7', 'bb')] };
const signal = () => AbortSignal.timeout(5000);

let deployed: ReturnType<typeof vi.fn<(version: string) => Promise<string>>>;
let verifier: Verifier;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  deployed = vi.fn(async (version: string) => base64(version === '7' ? 'bb' : 'aa'));
  verifier = lambdaVerifier('office@live', locked, { deployed, probe: async () => ({ executed: '7' }) });
});
afterEach(() => vi.useRealTimers());

test('the last version of the lock is called, and AWS is asked for its code once per start', async () => {
  expect(await Promise.all([verifier.pin(signal()), verifier.pin(signal())])).toEqual(['7', '7']);
  expect(await verifier.pin(signal())).toBe('7');
  expect(deployed.mock.calls).toEqual([['7']]);
});

test('other code is refused, and the refusal ends when it is mended', async () => {
  deployed.mockResolvedValueOnce(base64('cc'));
  const found = { code: 'DRIFT', happened: `version 7 of office@live has the code ${base64('cc')}` };
  await expect(verifier.pin(signal())).rejects.toMatchObject(found);
  await expect(verifier.pin(signal())).rejects.toMatchObject(found);
  expect(deployed).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await verifier.pin(signal())).toBe('7');
});

test('no answer of the control plane, no call; and a second later it is asked again', async () => {
  deployed.mockRejectedValueOnce(errorOf('UNREACHABLE'));
  await expect(verifier.pin(signal())).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await vi.advanceTimersByTimeAsync(1000);
  expect(await verifier.pin(signal())).toBe('7');
});

test('a call waits for the look no longer than its deadline; the look goes on', async () => {
  const look = Promise.withResolvers<string>();
  deployed.mockReturnValueOnce(look.promise);
  const abort = new AbortController();
  const waiting = verifier.pin(abort.signal);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE' });
  await expect(verifier.pin(abort.signal)).rejects.toMatchObject({ code: 'DEADLINE' });
  look.resolve(base64('bb'));
  expect(await verifier.pin(signal())).toBe('7');
  expect(deployed).toHaveBeenCalledOnce();
});

const answer = { status: 200, headers: [], body: new Uint8Array() };

test('platform, if AWS ran the version that was called', () => {
  expect(verifier.accept('7', { ...answer, executed: '7' }, 'a build', signal())).toBe('platform');
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

test('audit compares every version of the lock, and asks the function only if all are right', async () => {
  const findings = await verifier.audit(signal());
  expect(findings.map(({ version, field, ok }) => [version, field, ok])).toEqual([
    ['6', 'code sha256', true],
    ['7', 'code sha256', true],
    ['7', 'executed version', true],
  ]);
  deployed.mockRejectedValueOnce(errorOf('UNREACHABLE'));
  const bad = await verifier.audit(signal());
  expect(bad.map(({ field, found, ok }) => [field, found, ok])).toEqual([
    ['code sha256', 'UNREACHABLE: UNREACHABLE', false],
    ['code sha256', base64('bb'), true],
  ]);
});

test.each([
  ['none', {}],
  ['two', { 'a.zip': hex('aa'), 'b.zip': hex('bb') }],
])('a version with %s files is no version of a lambda function', (_, files) => {
  const bad = { ...locked, accepts: [{ ...accepted('7', 'bb'), files }] };
  expect(() => lambdaVerifier('office@live', bad, { deployed, probe: async () => ({}) })).toThrow(
    expect.objectContaining({ code: 'LOCK_INVALID' }),
  );
});
