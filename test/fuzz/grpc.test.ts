import { isIP } from 'node:net';
import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { policiesOf } from '../../adapter/policies/index.ts';
import { ipfilterSection } from '../../adapter/policies/ipfilter/config.ts';
import { allow, ipfilter } from '../../functions/kit/index.ts';
import { CheckIPRequestSchema, IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { damaged, edits } from './damage.ts';
import { type FuzzedAdapter, startFuzzedAdapter } from './grpc/adapter.ts';
import { hostOnly, messageOf } from './grpc/messages.ts';
import { type RpcInput, rpcs, types } from './rpcs/rpcs.ts';
import { policiesFor } from './rpcs/sections.ts';
import { type Count, fuzz, limitMs, same } from './runs.ts';

const { OK, PERMISSION_DENIED, INVALID_ARGUMENT, INTERNAL, NOT_FOUND } = status;

/** How calls of a type may end when its function lets nobody in. */
const endings: Readonly<Record<PluginTypeName, readonly number[]>> = {
  auth: [PERMISSION_DENIED, INVALID_ARGUMENT],
  kms: [OK, INVALID_ARGUMENT],
  notifier: [OK],
  ipfilter: [PERMISSION_DENIED, INVALID_ARGUMENT],
  eventsearcher: [OK, INVALID_ARGUMENT],
  metadata: [OK, NOT_FOUND, INVALID_ARGUMENT],
};

/** Fields that the policies of the host change or keep to themselves. */
const ownFields: Readonly<Record<PluginTypeName, readonly string[]>> = {
  auth: ['user', 'password'],
  kms: ['payload', 'key', 'mode', 'additionalData', 'masterKey'],
  notifier: [],
  ipfilter: [],
  eventsearcher: [],
  metadata: [],
};

let adapter: FuzzedAdapter;
beforeAll(async () => {
  // what a function logs of calls that it refuses is not of interest here
  for (const level of ['debug', 'info', 'warn', 'error', 'log'] as const)
    vi.spyOn(console, level).mockReturnValue();
  adapter = await startFuzzedAdapter(types.map((type) => ({ type, policies: policiesFor(type) })));
});
afterAll(() => {
  adapter.close();
  vi.restoreAllMocks();
});

/** The message in some bytes, as another reader has it; undefined: there is none. */
function messageIn({ method }: RpcInput, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(method.input, bytes);
  } catch {
    return undefined;
  }
}

/** One call in eight takes the whole way. */
const by = fc.oneof(
  { weight: 1, arbitrary: fc.constant('socket' as const) },
  { weight: 7, arbitrary: fc.constant('hand' as const) },
);

/**
 * Sends bytes and looks at what becomes of them: an ending of the type, never an allow, and only with the function's
 * word; what reached the function is what was sent. Gives the bodies of the requests to the function.
 */
async function judge(
  rpc: RpcInput,
  sent: { readonly bytes: Uint8Array; readonly by: 'socket' | 'hand' },
  count: Count,
): Promise<readonly string[]> {
  const { type, method } = rpc;
  const target = adapter.functions[type];
  if (target === undefined) throw new Error(`no function of ${type}`);
  const code = await adapter.send(rpc, sent.bytes, sent.by);
  const message = messageIn(rpc, sent.bytes);
  const [arrival, ...more] = target.arrivals;
  if (message === undefined) {
    same([code, arrival], [INTERNAL, undefined]);
    count(`${type}: no message`);
    return [...target.bodies];
  }
  const special: Readonly<Record<string, readonly number[]>> = {
    Reload: [OK],
    Decrypt: [...endings.kms, INTERNAL],
  };
  const mayEnd = special[method.name] ?? endings[type];
  if (!mayEnd.includes(code)) expect(mayEnd).toContain(code);
  if (arrival === undefined) {
    // nobody but the function says yes
    expect(code).not.toBe(OK);
    count(`${type}: refused`);
    return [...target.bodies];
  }
  const shared = (fields: object) =>
    method.input.fields
      .filter(({ localName }) => !ownFields[type].includes(localName))
      .map(({ localName }) => [localName, Object(fields)[localName]]);
  same([arrival.rpc, more, shared(arrival.input)], [method.name, [], shared(message)]);
  count(`${type}: reached the function`);
  return [...target.bodies];
}

const floors = (share: number) =>
  Object.fromEntries(types.map((type) => [`${type}: reached the function`, share]));

test(
  'no message of a host ends the adapter or buys an allow; what must stay on the host stays, the rest arrives as it was',
  fuzz(
    fc.oneof(...rpcs.map((rpc) => fc.record({ rpc: fc.constant(rpc), message: messageOf(rpc), by }))),
    async ({ rpc, message, by }, count) => {
      const bodies = await judge(rpc, { bytes: toBinary(rpc.method.input, message), by }, count);
      // without a master key SFTPGo's secrets are the function's to see
      const isBare = rpc.method.name === 'Encrypt' && Object(message)['masterKey'] === '';
      for (const body of isBare ? [] : bodies) {
        same([body.includes(hostOnly), body], [false, body]);
        const user: unknown = JSON.parse(body).user;
        const shown = typeof user === 'string' ? Buffer.from(user, 'base64').toString() : '';
        same([shown.includes(hostOnly), shown], [false, shown]);
      }
    },
    floors(0.02),
  ),
  limitMs,
);

test(
  'no bytes of a host end the adapter or buy an allow',
  fuzz(
    fc.record({ rpc: fc.constantFrom(...rpcs), n: fc.nat({ max: 1000 }), edits, by }),
    async ({ rpc, n, edits, by }, count) => {
      const bytes = damaged(toBinary(rpc.method.input, rpc.message(n)), edits);
      await judge(rpc, { bytes, by }, count);
    },
    floors(0.01),
  ),
  limitMs,
);

test('after all that, every RPC is answered as before', async () => {
  for (const rpc of rpcs) {
    const ended: string[] = [];
    const bytes = toBinary(rpc.method.input, rpc.message(1));
    await judge(rpc, { bytes, by: 'socket' }, (ending) => ended.push(ending));
    expect([rpc.method.name, ...ended]).toEqual([rpc.method.name, `${rpc.type}: reached the function`]);
  }
});

/** By libuv's reading; of a zone, Go too says no more than that it is some text behind an IPv6 address. */
function isAddress(text: string): boolean {
  const [plain = '', ...zone] = text.split('%');
  return zone.length === 0 ? isIP(plain) !== 0 : isIP(plain) === 6 && zone.join('%') !== '';
}

const addressPieces = fc.constantFrom(
  ...[
    '203',
    '0',
    '113',
    '7',
    '255',
    '256',
    '.',
    ':',
    '::',
    'ffff',
    '%',
    'eth0',
    '/',
    '/0',
    ' ',
    '\u0000',
    '\uff11',
    '127',
  ],
  ...['localhost', '-1', '0x7f', '010', '::ffff:', '127.0.0.1', '1.2.3.4', '2001:db8', '[', ']', ',', '\n'],
);

describe('where everybody is let in', () => {
  const open = ipfilter<object>({ checkIP: () => allow() });
  let everybody: FuzzedAdapter;
  beforeAll(async () => {
    const policies = policiesOf('ipfilter', ipfilterSection.parse({ use: 'office', onUnavailable: 'allow' }));
    everybody = await startFuzzedAdapter([{ type: 'ipfilter', policies, plugin: open }]);
  });
  afterAll(() => everybody.close());
  const [checkIP] = rpcs.filter(({ method }) => method === IPFilter.method.checkIP);

  test(
    'no address that is none buys an allow',
    fuzz(
      fc.record({
        ip: fc.oneof(
          fc.array(addressPieces, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join('')),
          fc.ipV4(),
          fc.ipV6(),
          fc.tuple(fc.ipV6(), addressPieces).map((pieces) => pieces.join('')),
        ),
        protocol: fc.oneof(fc.constantFrom('SSH', 'FTP', ''), fc.string({ maxLength: 8 })),
        by,
      }),
      async ({ ip, protocol, by }, count) => {
        if (checkIP === undefined) throw new Error('no CheckIP');
        const asks = create(CheckIPRequestSchema, { ip, protocol: protocol.toWellFormed() });
        const code = await everybody.send(checkIP, toBinary(CheckIPRequestSchema, asks), by);
        const expected = isAddress(ip) ? OK : INVALID_ARGUMENT;
        same([ip, code], [ip, expected]);
        count(code === OK ? 'allowed' : 'no address');
      },
      { allowed: 0.2, 'no address': 0.2 },
    ),
    limitMs,
  );
});
