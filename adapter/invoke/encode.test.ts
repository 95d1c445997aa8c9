import { afterAll, beforeAll, expect, test } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../proto/gen/sftpgo/kms_pb.ts';
import { type FunctionServer, newKeys, startFunction } from '../../test/support/function-server.ts';
import { callOf, connectionTo } from '../../test/support/invoke.ts';
import type { Call } from '../shapes.ts';
import { encode } from './encode.ts';
import { createInvoke } from './index.ts';

const keys = newKeys();
let served: FunctionServer;

beforeAll(async () => {
  served = await startFunction(keys);
  served.intercept = async (request) => await served.sign(request, { body: '{"payload":"c2VhbGVk"}' });
});
afterAll(async () => await served.close());

/** What went over the wire for a call: headers and body, as one text. */
async function wireOf(call: Call): Promise<string> {
  await createInvoke(connectionTo(served.url, keys))(call);
  const request = served.requests.at(-1);
  return `${request?.url} ${JSON.stringify(request?.headers)} ${Buffer.from(request?.body ?? []).toString()}`;
}

test('kms: master key and additional data never leave the host, and the call keeps them', async () => {
  const call = callOf(KMS.method.encrypt, {
    payload: 'clear-text',
    additionalData: 'belongs-to-bob',
    url: 'awskms://key',
    masterKey: 'master-key-of-sftpgo',
  });
  const wire = await wireOf(call);
  expect(wire).toContain('clear-text');
  expect(wire).not.toContain('belongs-to-bob');
  expect(wire).not.toContain('master-key-of-sftpgo');
  expect(call.input).toMatchObject({ masterKey: 'master-key-of-sftpgo', additionalData: 'belongs-to-bob' });
});

test('kms: with key and mode a function could open the box itself, so they stay too', async () => {
  const wire = await wireOf(
    callOf(KMS.method.decrypt, {
      payload: 'boxed-text',
      key: 'key-of-the-box',
      mode: 1,
      url: 'awskms://key',
      masterKey: 'master-key-of-sftpgo',
      additionalData: 'belongs-to-bob',
    }),
  );
  expect(wire).toMatch(/ \{"payload":"boxed-text","url":"awskms:\/\/key"\}$/);
});

test('a hostOnly field that the request does not have is a defect, not a silent leak', () => {
  const call = callOf(KMS.method.encrypt, { payload: 'clear-text' });
  const wrong = { ...call, traits: { ...call.traits, hostOnly: ['masterkey'] } };
  expect(() => encode(connectionTo(served.url, keys), wrong, '')).toThrow(
    expect.objectContaining({ code: 'INTERNAL' }),
  );
});

test('the request is Connect unary, and says how long the host still waits', () => {
  const call = callOf(IPFilter.method.checkIP, { ip: '2001:db8::1', protocol: 'FTP' }, { timeoutMs: 900 });
  const message = encode(connectionTo(`${served.url}/filters/`, keys), call, '');
  expect(message.url).toBe(`${served.url}/filters/proto.IPFilter/CheckIP`);
  expect(Buffer.from(message.body).toString()).toBe('{"ip":"2001:db8::1","protocol":"FTP"}');
  const { 'connect-timeout-ms': timeout, ...headers } = Object.fromEntries(message.headers);
  expect(headers).toEqual({
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'cache-control': 'no-store, no-transform',
    'connect-protocol-version': '1',
    'plugin-function': 'office@live',
    'plugin-call-id': call.id,
  });
  expect(timeout).toMatch(/^\d{1,10}$/);
  expect(Number(timeout)).toBeLessThanOrEqual(900);
  expect(Number(timeout)).toBeGreaterThan(0);
});

test('without a whole millisecond left nothing is sent', async () => {
  const before = served.requests.length;
  const late = callOf(IPFilter.method.checkIP, { ip: '192.0.2.1' }, { timeoutMs: 0.5 });
  await expect(createInvoke(connectionTo(served.url, keys))(late)).rejects.toMatchObject({
    code: 'DEADLINE',
  });
  expect(served.requests.length).toBe(before);
});

test('each attempt has a new nonce and the same call id', async () => {
  const call = callOf(KMS.method.encrypt, { payload: 'clear-text' });
  const headers = async () => {
    await wireOf(call);
    return new Map(served.requests.at(-1)?.headers);
  };
  const [first, second] = [await headers(), await headers()];
  const nonce = (of: ReadonlyMap<string, string>) =>
    /nonce="([^"]+)"/.exec(of.get('signature-input') ?? '')?.[1];
  expect(nonce(first)).toMatch(/^[\w-]{16,64}$/);
  expect(nonce(first)).not.toBe(nonce(second));
  expect(first.get('plugin-call-id')).toBe(second.get('plugin-call-id'));
});

test('more than a function takes is not sent: overload, with the limit', async () => {
  const sent = served.requests.length;
  const asked = (bytes: number) =>
    createInvoke(connectionTo(served.url, keys))(
      callOf(KMS.method.decrypt, { payload: 'x'.repeat(bytes), url: 'awskms://key' }),
    );
  await expect(asked(6_291_456)).rejects.toMatchObject({
    code: 'OVERLOADED',
    expected: 'at most 6291456 bytes: what a function takes',
  });
  expect(served.requests.length).toBe(sent);
  await asked(6_291_456 - JSON.stringify({ payload: '', url: 'awskms://key' }).length);
  expect(served.requests.length).toBe(sent + 1);
});
