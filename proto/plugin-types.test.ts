import { expect, expectTypeOf, test } from 'vitest';
import type { InputOf, OutputOf } from './codec.ts';
import type { Auth } from './gen/sftpgo/auth_pb.ts';
import { IPFilter } from './gen/sftpgo/ipfilter_pb.ts';
import type { CheckIPRequest, EncryptResponse, ipFilterService, kmsService } from './gen/wire.ts';
import { type CallTraits, isPluginTypeName, type PluginType, pluginTypes, traitsOf } from './plugin-types.ts';

const traits: CallTraits = { deadlineMs: 20_000, repeat: 'free', maxInputBytes: 1 };

test('each type has the service and the cookie by which SFTPGo starts it', () => {
  const rows = Object.entries(pluginTypes).map(([name, { service, cookie }]) => [
    name,
    service.typeName,
    ...cookie,
  ]);
  expect(rows).toEqual([
    ['auth', 'proto.Auth', 'SFTPGO_PLUGIN_AUTH', 'd1ed507d-d2be-4a38-a460-6fe0b2cc7efc'],
    ['kms', 'proto.KMS', 'SFTPGO_PLUGIN_KMS', '223e3571-7ed2-4b96-b4b3-c7eb87d7ca1d'],
    ['ipfilter', 'proto.IPFilter', 'SFTPGO_PLUGIN_IPFILTER', '368dbdab-4839-4bec-b75f-fc74a2d50f24'],
    ['notifier', 'proto.Notifier', 'SFTPGO_PLUGIN_NOTIFIER', 'c499b98b-cd59-4df2-92b3-6268817f4d80'],
    [
      'eventsearcher',
      'proto.Searcher',
      'SFTPGO_PLUGIN_EVENTSEARCHER',
      '2b523805-0279-471c-895e-6c0d39002ca4',
    ],
    ['metadata', 'proto.Metadata', 'SFTPGO_PLUGIN_METADATA', '85dddeea-56d8-4d5b-b488-8b125edb3a0f'],
  ]);
});

test('each of the twenty RPCs has traits', () => {
  const rpcs = Object.values(pluginTypes).flatMap((type) =>
    type.service.methods.map((rpc) => traitsOf(type, rpc)),
  );
  expect(rpcs).toHaveLength(20);
});

test('the host waits 20 s, and 80 s for the times of a folder', () => {
  for (const type of Object.values<PluginType>(pluginTypes)) {
    for (const [name, { deadlineMs }] of Object.entries(type.calls)) {
      expect(deadlineMs, name).toBe(name === 'getModificationTimes' ? 80_000 : 20_000);
    }
  }
});

test('no login is sent twice, and a denied one is the decision of the function', () => {
  for (const [name, call] of Object.entries(pluginTypes.auth.calls)) {
    expect(call, name).toMatchObject({ repeat: 'never', verdict: true });
  }
});

test('events are repeated under one id only', () => {
  for (const [name, { repeat }] of Object.entries(pluginTypes.notifier.calls))
    expect(repeat, name).toBe('same-id');
});

test('besides logins only CheckIP is a verdict', () => {
  const { auth, ...others } = pluginTypes;
  const verdicts = Object.values<PluginType>(others).flatMap(({ calls }) =>
    Object.entries(calls).flatMap(([name, call]) => (call.verdict ? [name] : [])),
  );
  expect(verdicts).toEqual(['checkIP']);
});

test('every key, mode and additional_data of kms stays on the host', () => {
  const { service, calls } = pluginTypes.kms;
  const secret = ['master_key', 'key', 'mode', 'additional_data'];
  for (const rpc of service.methods) {
    const fields = rpc.input.fields.map((field) => field.name).filter((name) => secret.includes(name));
    expect(traitsOf(pluginTypes.kms, rpc).hostOnly?.toSorted(), rpc.name).toEqual(fields.sort());
  }
  expect(calls.decrypt.hostOnly).toHaveLength(4);
});

test('an RPC is looked up under its own type only', () => {
  expect(() => traitsOf(pluginTypes.auth, IPFilter.method.checkIP)).toThrow(
    expect.objectContaining({ code: 'INTERNAL' }),
  );
});

test('names of types', () => {
  expect(isPluginTypeName('eventsearcher')).toBe(true);
  for (const text of ['toString', 'Auth', '', undefined]) expect(isPluginTypeName(text)).toBe(false);
});

test('a forgotten, an unknown and a misspelt RPC do not compile', () => {
  type Calls = PluginType<typeof IPFilter>['calls'];
  const calls: Calls = { checkIP: traits, reload: traits };
  // @ts-expect-error reload is missing
  const forgotten: Calls = { checkIP: traits };
  // @ts-expect-error no such RPC
  const unknown: Calls = { ...calls, ping: traits };
  // @ts-expect-error the RPCs are those of another service
  const other: PluginType<typeof Auth>['calls'] = calls;
  expect([calls, forgotten, unknown, other]).toHaveLength(4);
});

test('authors of functions get plain types for each RPC', () => {
  expectTypeOf<InputOf<typeof ipFilterService.methods.checkIP>>().toEqualTypeOf<CheckIPRequest>();
  expectTypeOf<OutputOf<typeof kmsService.methods.encrypt>>().toEqualTypeOf<EncryptResponse>();
  expectTypeOf<EncryptResponse>().toEqualTypeOf<{
    readonly payload: string;
    readonly key: string;
    readonly mode: number;
  }>();
});
