import { expect, test } from 'vitest';
import { negotiateVersion } from './versions.ts';

test.each([
  [[1], '1', 1],
  [[1, 2, 3], '1,3,2', 3],
  [[3, 1, 2], '2,1', 2],
  [[1, 2], '7,x,2,', 2],
  [[4, 5], '1,2', 4],
  [[2, 1], '', 1],
  [[2, 1], undefined, 1],
  [[0, 1], '', 0],
])('ours %j, offered %j: %i', (ours, offered, expected) => {
  expect(negotiateVersion(ours, offered)).toBe(expected);
});

test('a plugin without versions is told so', () => {
  expect(() => negotiateVersion([], '1')).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  expect(() => negotiateVersion([1.5], '1')).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
});
