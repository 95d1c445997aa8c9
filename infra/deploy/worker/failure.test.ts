import { expect, test } from 'vitest';
import { wranglerFailure } from './failure.ts';

const esc = String.fromCharCode(27);

test.each([
  ['a token without rights', { said: '', code: 10000 }, 'forbidden'],
  ['too many requests', { said: '', code: 971 }, 'throttled'],
  ['no network', { said: `${esc}[31mERROR] fetch failed` }, 'unreachable'],
  ['a code in its words only', { said: 'ERROR] failed.\n  Authentication error [code: 10000]' }, 'forbidden'],
])('%s', (_, failed, problem) => {
  expect(wranglerFailure('upload', failed)).toMatchObject({ code: 'UNREACHABLE', problem });
});

test('anything else is told in its own words, without colours and without its invitation', () => {
  const said = `Total Upload: 1 KiB\n\n${esc}[31m✘ [ERROR]${esc}[0m A request failed.\n\n  No such module [code: 10021]\n  \n  If you think this is a bug, please open an issue`;
  expect(wranglerFailure('upload a version of Worker office', { said, code: 10021 })).toMatchObject({
    code: 'INPUT_INVALID',
    happened:
      'wrangler could not upload a version of Worker office: A request failed. No such module [code: 10021]',
  });
});
