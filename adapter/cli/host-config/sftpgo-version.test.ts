import { expect, test } from 'vitest';
import { pluginTypes } from '../../../proto/plugin-types.ts';
import { isAtLeast, parseSftpgoVersion, satisfies } from './sftpgo-version.ts';

test.each([
  ['2.6.3', [2, 6, 3]],
  ['v2.10.0', [2, 10, 0]],
])('%s is a release', (text, version) => {
  expect(parseSftpgoVersion(text)).toEqual(version);
});

test.each(['', '2', '2.6', '2.6.3.1', '2.6.3-rc1', 'latest', ' 2.6.3', '2.6.3\n', '2.6.1234'])(
  '%j is none',
  (text) => {
    expect(parseSftpgoVersion(text)).toBeUndefined();
  },
);

test.each([
  ['2.2.1', false],
  ['2.2.2', true],
  ['2.5.99', true],
  ['2.6.0', false],
  ['2.10.0', false],
  ['3.0.0', false],
  ['1.99.99', false],
])('%s in >=2.2.2 <2.6.0: %j', (text, inside) => {
  expect(satisfies(parseSftpgoVersion(text) ?? [0, 0, 0], '>=2.2.2 <2.6.0')).toBe(inside);
});

test('the range of every plugin type can be read', () => {
  const current = Object.values(pluginTypes).map(({ hosts }) => satisfies([2, 7, 5], hosts));
  expect(current.filter((inside) => !inside)).toHaveLength(1);
});

test.each(['^2.2.2', '>=2.2', '2.2.2', ''])('a range as %j is a defect', (range) => {
  expect(() => satisfies([2, 7, 5], range)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test('an unknown release is the newest', () => {
  expect([isAtLeast(undefined, '2.6.0'), isAtLeast([2, 5, 9], '2.6.0')]).toEqual([true, false]);
});
