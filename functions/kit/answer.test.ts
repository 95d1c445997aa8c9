import { expect, test } from 'vitest';
import { authResponseTable, emptyTable } from '../../proto/gen/wire.ts';
import { encodeOutcome } from './answer.ts';
import type { Rpc } from './plugin.ts';

const rpc = {
  table: { name: 'CheckUserAndPass', input: emptyTable, output: authResponseTable },
  run: async () => ({}),
} satisfies Rpc<unknown>;

test('an answer above 6 MiB is an internal error instead', () => {
  const fits = encodeOutcome({ output: { user: new Uint8Array(4 * 1024 * 1024) } }, rpc, 0);
  expect(fits.status).toBe(200);
  const large = encodeOutcome({ output: { user: new Uint8Array(5 * 1024 * 1024) } }, rpc, 0);
  expect([large.status, new TextDecoder().decode(large.body)]).toEqual([
    500,
    '{"code":"internal","message":"the answer is larger than 6291456 bytes"}',
  ]);
});

test('an output that is not the message of its RPC is not sent', () => {
  expect(() => encodeOutcome({ output: { user: 'text' } }, rpc, 0)).toThrow('user');
});
