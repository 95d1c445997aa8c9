import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { pluginHeaders } from '../../../proto/facts.ts';
import {
  FsEventSchema,
  LogEventSchema,
  Notifier,
  ProviderEventSchema,
} from '../../../proto/gen/sftpgo/notifier_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import {
  codeOf,
  factsWith,
  failure,
  type Step,
  scripted,
  signedError,
} from '../../../test/support/policies.ts';
import type { Trace } from '../../shapes.ts';
import { compose } from '../compose.ts';
import { notifierSection } from './config.ts';
import { eventIdOf } from './event-id.ts';
import { notifierPolicies } from './index.ts';

const event = { timestamp: 1_697_040_000_123_456_789n, action: 'upload', username: 'bob', fileSize: 7n };

function notifier(...steps: readonly Step[]) {
  const next = scripted(...steps);
  const section = notifierSection.parse({ use: 'events', instance: 'node1' });
  const handle = compose(notifierPolicies(section), next);
  return { next, send: () => codeOf(handle(callOf(Notifier.method.sendFsEvent, event))) };
}

function fsId(fields: object, instance = 'node1'): string {
  return eventIdOf(FsEventSchema, create(FsEventSchema, { ...event, ...fields }), instance);
}

test('an event that the host sends again has the same id; instance and any other field change it', () => {
  const id = fsId({});
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(fsId({})).toBe(id);
  const others = [
    fsId({ timestamp: event.timestamp + 1n }),
    fsId({ action: 'download' }),
    fsId({ metadata: { a: '1' } }),
    fsId({ elapsed: 1n }),
    fsId({}, 'node2'),
  ];
  expect(new Set([id, ...others]).size).toBe(6);
});

test('a map is the same in whatever order Go writes it', () => {
  expect(fsId({ metadata: { b: '2', a: '1', '10': 'x' } })).toBe(
    fsId({ metadata: { '10': 'x', a: '1', b: '2' } }),
  );
  expect(fsId({ metadata: { a: '2', b: '1' } })).not.toBe(fsId({ metadata: { a: '1', b: '2' } }));
});

test('object_data is read anew at each send, so it is no part of the id', () => {
  const idOf = (objectData: Uint8Array, objectName = 'bob') =>
    eventIdOf(
      ProviderEventSchema,
      create(ProviderEventSchema, { timestamp: 1n, action: 'update', objectName, objectData }),
      'node1',
    );
  expect(idOf(new Uint8Array([1]))).toBe(idOf(new Uint8Array([2, 3])));
  expect(idOf(new Uint8Array([1]))).not.toBe(idOf(new Uint8Array([1]), 'eve'));
});

test('events of two types never share an id, and fields of a newer SDK are no part of it', () => {
  expect(eventIdOf(LogEventSchema, create(LogEventSchema, { timestamp: 1n }), 'n')).not.toBe(
    eventIdOf(FsEventSchema, create(FsEventSchema, { timestamp: 1n }), 'n'),
  );
  const known = toBinary(FsEventSchema, create(FsEventSchema, event));
  const newer = fromBinary(FsEventSchema, new Uint8Array([...known, 0xf8, 0x3f, 0x01]));
  expect(newer.$unknown).toHaveLength(1);
  expect(eventIdOf(FsEventSchema, newer, 'node1')).toBe(fsId({}));
});

test('each attempt carries the id of the event and the signed name of the instance', async () => {
  const { next, send } = notifier(failure('UNREACHABLE'), factsWith());
  expect(await send()).toBe('answered');
  expect(next.calls.map(({ id, headers }) => [id, headers])).toEqual(
    Array.from({ length: 2 }, () => [fsId({}), [[pluginHeaders.instance, 'node1']]]),
  );
});

test('what is logged of an event is the id that the function gets', async () => {
  const trace: Trace = {};
  const next = scripted(failure('DEADLINE'));
  const section = notifierSection.parse({ use: 'events', instance: 'node1' });
  const call = callOf(Notifier.method.sendFsEvent, event, { trace });
  await codeOf(compose(notifierPolicies(section), next)(call));
  expect([trace.callId, next.calls[0]?.id]).toEqual([fsId({}), fsId({})]);
});

test.each([
  'UNREACHABLE',
  'DEADLINE',
  'ANSWER_UNSIGNED',
  'ANSWER_REFUSED',
  'ANSWER_INVALID',
  'DRIFT',
  'CONFIG_INVALID',
] as const)('%s is an error to the host, which then keeps the event', async (code) => {
  expect(await notifier(failure(code)).send()).toBe(code);
});

test.each(['internal', 'invalid_argument', 'permission_denied', 'resource_exhausted'] as const)(
  'a signed %s of the function is one too, and is not sent twice',
  async (connect) => {
    const { next, send } = notifier(signedError(connect));
    expect(await send()).toBe(connect === 'permission_denied' ? 'DENIED' : 'FUNCTION_ERROR');
    expect(next.calls).toHaveLength(1);
  },
);

test('an outage is not answered with a storm: a few retries, then the breaker', async () => {
  const { next, send } = notifier(failure('UNREACHABLE'));
  const codes = await Promise.all(Array.from({ length: 100 }, send));
  expect(new Set(codes)).toEqual(new Set(['UNREACHABLE']));
  const first = next.calls.length;
  expect(first).toBeLessThanOrEqual(110);
  for (let again = 0; again < 100; again += 1) await send();
  expect(next.calls.length).toBe(first);
});

test('the name of the instance is required and fits a header', () => {
  expect(() => notifierSection.parse({ use: 'events' })).toThrow(/instance/);
  for (const instance of ['', ' node', 'knöten', 'a\nb', 'n'.repeat(129)]) {
    expect(() => notifierSection.parse({ use: 'events', instance })).toThrow(/printable ASCII/);
  }
  expect(notifierSection.parse({ use: 'events', instance: 'node 1' })).toMatchObject({
    instance: 'node 1',
    timeout: 10_000,
  });
});
