import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Metadata } from '../../../proto/gen/sftpgo/metadata_pb.ts';
import { pluginTypes } from '../../../proto/plugin-types.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { codeOf, factsWith, failure, scripted, signedError } from '../../../test/support/policies.ts';
import { compose } from '../compose.ts';
import { metadataSection } from './config.ts';
import { metadataPolicies } from './index.ts';

const policies = () => metadataPolicies(metadataSection.parse({ use: 'times' }));

/** What becomes of a page of GetFolders. */
async function page(folders: string[], { from = '', limit = 3 } = {}): Promise<string> {
  const handle = compose(policies(), async ({ method }) => ({
    output: create(Metadata.method.getFolders.output, { folders }),
    facts: factsWith({ version: method.name }),
  }));
  return await codeOf(handle(callOf(Metadata.method.getFolders, { storageId: 's3://b', from, limit })));
}

test('pages that ascend after `from` and keep to the limit are passed on', async () => {
  expect(await page([])).toBe('answered');
  expect(await page(['/', '/a', '/a/b'])).toBe('answered');
  expect(await page(['/b', '/c'], { from: '/a' })).toBe('answered');
  expect(await page(['/1', '/2', '/3', '/4'], { limit: 0 })).toBe('answered');
  // by bytes, as databases sort: U+FF5E before U+1F600, which UTF-16 has the other way round
  expect(await page(['/\uff5e', '/\u{1f600}'])).toBe('answered');
});

test.each([
  ['a page that begins with the last one', ['/a', '/b'], { from: '/a' }],
  ['a page from the start', ['/a'], { from: '/b' }],
  ['a doubled folder', ['/a', '/a'], {}],
  ['a wrong order', ['/b', '/a'], {}],
  ['no folder at all', [''], {}],
  ['more than asked for', ['/1', '/2', '/3', '/4'], {}],
])('%s would never end: refused', async (_, folders, asked) => {
  expect(await page(folders, asked)).toBe('ANSWER_INVALID');
});

test('reads and writes are repeated once when the function was not reached; a signed not_found is an answer', async () => {
  const input = { storageId: 's3://b', objectPath: '/a' };
  const lost = scripted(failure('UNREACHABLE'), factsWith());
  expect(await codeOf(compose(policies(), lost)(callOf(Metadata.method.removeMetadata, input)))).toBe(
    'answered',
  );
  const missing = scripted(signedError('not_found'));
  expect(await codeOf(compose(policies(), missing)(callOf(Metadata.method.getModificationTime, input)))).toBe(
    'FUNCTION_ERROR',
  );
  expect([lost.calls.length, missing.calls.length]).toEqual([2, 1]);
});

test('the host waits 80 seconds for the times of a folder, 20 for everything else', () => {
  const { getModificationTimes, ...others } = pluginTypes.metadata.calls;
  expect(getModificationTimes.deadlineMs).toBe(80_000);
  expect(Object.values(others).map(({ deadlineMs }) => deadlineMs)).toEqual([20_000, 20_000, 20_000, 20_000]);
});
