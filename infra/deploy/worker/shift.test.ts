import { expect, test } from 'vitest';
import { sharesOf } from './shift.ts';

const accepted = (version: string) => ({ version, files: {}, config: {}, inputs: {} });
const lock = { accepts: [accepted('old'), accepted('new')] };
const now = (shares: Record<string, number>) =>
  Object.entries(shares).map(([version_id, percentage]) => ({ version_id, percentage }));

test.each([
  ['all of it', { old: 100 }, 100, [['new', 100]]],
  [
    'a share, the rest where it is',
    { old: 100 },
    10,
    [
      ['new', 10],
      ['old', 90],
    ],
  ],
  [
    'a fraction',
    { old: 100 },
    99.9,
    [
      ['new', 99.9],
      ['old', 0.1],
    ],
  ],
  [
    'a larger share',
    { old: 90, new: 10 },
    50,
    [
      ['new', 50],
      ['old', 50],
    ],
  ],
  ['the end of a gradual deployment', { old: 50, new: 50 }, 100, [['new', 100]]],
  ['the first deployment', {}, 100, [['new', 100]]],
])('%s', (_, before, percent, expected) => {
  const shares = sharesOf('office@live', lock, now(before), { version: 'new', percent });
  expect(shares?.map((share) => [share.version, share.percent])).toEqual(expected);
});

test('what is so already is not done again', () => {
  const now10 = now({ old: 90, new: 10 });
  expect(sharesOf('office@live', lock, now10, { version: 'new', percent: 10 })).toBeUndefined();
  expect(sharesOf('office@live', lock, now({ new: 100 }), { version: 'new', percent: 100 })).toBeUndefined();
});

test.each([
  ['no share', { old: 100 }, 0, 'INPUT_INVALID'],
  ['too much', { old: 100 }, 101, 'INPUT_INVALID'],
  ['a share without anybody for the rest', { new: 100 }, 10, 'INPUT_INVALID'],
  ['a third version', { old: 50, older: 50 }, 10, 'INPUT_INVALID'],
  ['a rest for a version that the lock does not have', { stranger: 100 }, 10, 'DRIFT'],
])('%s is refused', (_, before, percent, code) => {
  const given = () => sharesOf('office@live', lock, now(before), { version: 'new', percent });
  expect(given).toThrow(expect.objectContaining({ code }));
});

test('a version that the lock does not have gets no call', () => {
  const given = () => sharesOf('office@live', lock, now({ old: 100 }), { version: 'newer', percent: 100 });
  expect(given).toThrow(expect.objectContaining({ code: 'DRIFT' }));
});
