import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Searcher } from '../../../proto/gen/sftpgo/searcher_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { codeOf, factsWith } from '../../../test/support/policies.ts';
import { compose } from '../compose.ts';
import { eventsearcherSection } from './config.ts';
import { eventsearcherPolicies } from './index.ts';

function search(data: string | Uint8Array, asked: { role?: string; limit?: number } = {}) {
  const output = create(Searcher.method.searchFsEvents.output, {
    data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
  });
  const handle = compose(eventsearcherPolicies(eventsearcherSection.parse({ use: 'search' })), async () => ({
    output,
    facts: factsWith(),
  }));
  return handle(callOf(Searcher.method.searchFsEvents, { limit: 2, ...asked }));
}

test('what was found goes to the host byte by byte', async () => {
  const data =
    ' [{"id":"a", "timestamp":1697040000123456789,\n"role":"r"},{"timestamp":-9223372036854775808}]';
  const { output } = await search(data);
  const bytes: unknown = Reflect.get(output, 'data');
  expect(bytes instanceof Uint8Array && new TextDecoder().decode(bytes)).toBe(data);
  expect(await codeOf(search('[]'))).toBe('answered');
  expect(await codeOf(search('[{"role":"r"}]', { role: 'r' }))).toBe('answered');
});

test.each([
  ['nothing', ''],
  ['null', 'null'],
  ['an object', '{"events":[]}'],
  ['half an array', '[{"id":"a"}'],
  ['a page of HTML', '<html></html>'],
  ['bytes that are no UTF-8', new Uint8Array([0x5b, 0x22, 0xff, 0x22, 0x5d])],
  ['a byte order mark', '\ufeff[]'],
  ['an event that is null', '[null]'],
  ['an event that is a list', '[[]]'],
  ['an exponent', '[{"timestamp":1.69704e18}]'],
  ['a fraction', '[{"timestamp":1.0}]'],
  ['more than 64 bits', '[{"timestamp":9223372036854775808}]'],
  ['a number beyond every int64', '[{"timestamp":99999999999999999999}]'],
  ['an object inside an event', '[{"metadata":{"a":"b"}}]'],
  ['a boolean', '[{"status":true}]'],
  ['a missing value', '[{"username":null}]'],
  ['more events than asked for', '[{},{},{}]'],
] as const)('%s is refused', async (_, data) => {
  expect(await codeOf(search(data))).toBe('ANSWER_INVALID');
});

test('a role admin is never shown an event of another role, or of none', async () => {
  for (const data of ['[{"role":"mine"},{"role":"other"}]', '[{"id":"a"}]', '[{"role":""}]']) {
    expect(await codeOf(search(data, { role: 'mine' }))).toBe('ANSWER_INVALID');
  }
});
