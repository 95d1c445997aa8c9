import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { openPair } from '../../adapter/goplugin/fixture/pair.ts';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { methodPath } from '../../adapter/goplugin/method-path.ts';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { compose } from '../../adapter/policies/compose.ts';
import { policiesOf } from '../../adapter/policies/index.ts';
import { ipfilterSection } from '../../adapter/policies/ipfilter/config.ts';
import { hostError } from '../../adapter/role/host-error.ts';
import { deny, ipfilter } from '../../functions/kit/index.ts';
import { CheckIPRequestSchema, IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { type PluginType, pluginTypes, traitsOf } from '../../proto/plugin-types.ts';
import { newKeys, startFunction } from '../support/function-server.ts';
import { connectionTo } from '../support/invoke.ts';
import { damaged, limitMs, parameters } from './runs.ts';

/** A host that sends bytes, an adapter as `serve` makes it, and a function that denies everybody. */
const keys = newKeys();
const plugin = ipfilter<object>({ checkIP: () => deny('nobody', { for: '5m' }) });
const server = await startFunction({ ...keys, plugin });
const section = ipfilterSection.parse({ use: 'office', alwaysAllow: [] });
const handler = compose(policiesOf('ipfilter', section), createInvoke(connectionTo(server.url, keys)));
const row: PluginType = pluginTypes.ipfilter;
let asked = 0;

const pair = await openPair({
  services: [
    {
      service: IPFilter,
      maxReceiveBytes: (method) => traitsOf(row, method).maxInputBytes,
      async handle({ method, input, signal }) {
        const traits = traitsOf(row, method);
        asked += 1;
        const id = asked.toString(16).padStart(32, '0');
        const deadlineMs = performance.now() + 10_000;
        try {
          return (await handler({ method, traits, input, id, deadlineMs, signal })).output;
        } catch (error) {
          const { grpcCode, message } = hostError(error, id, traits);
          throw new GrpcError(grpcCode, message);
        }
      },
    },
  ],
});
const client = new Client(`unix:${pair.server.address}`, credentials.createInsecure());
afterAll(async () => {
  client.close();
  pair.close();
  await server.close();
});

/** Sends bytes as a CheckIP; gives the status. */
function send(bytes: Uint8Array): Promise<number> {
  const same = (buffer: Buffer) => buffer;
  return new Promise((resolve) => {
    const answered = (error: ServiceError | null) => resolve(error === null ? status.OK : error.code);
    client.makeUnaryRequest(methodPath(IPFilter.method.checkIP), same, same, Buffer.from(bytes), answered);
  });
}

const good = toBinary(
  CheckIPRequestSchema,
  create(CheckIPRequestSchema, { ip: '203.0.113.7', protocol: 'SSH' }),
);

test(
  'no bytes of a host end the adapter or buy an allow',
  async () => {
    const refused = [
      status.PERMISSION_DENIED,
      status.INVALID_ARGUMENT,
      status.INTERNAL,
      status.RESOURCE_EXHAUSTED,
    ];
    const property = fc.asyncProperty(damaged(good), async (bytes) => {
      expect(refused).toContain(await send(bytes));
    });
    await fc.assert(property, parameters);
    expect(await send(good)).toBe(status.PERMISSION_DENIED);
  },
  limitMs,
);

test(
  'no address that is none buys an allow',
  async () => {
    const piece = fc.constantFrom(
      '203',
      '0',
      '113',
      '7',
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
      '１',
      '127',
      'localhost',
      '-1',
      '0x7f',
    );
    const property = fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.string({ maxLength: 8 }),
      async (pieces, protocol) => {
        const asks = create(CheckIPRequestSchema, { ip: pieces.join(''), protocol: protocol.toWellFormed() });
        expect(await send(toBinary(CheckIPRequestSchema, asks))).not.toBe(status.OK);
      },
    );
    await fc.assert(property, parameters);
  },
  limitMs,
);
