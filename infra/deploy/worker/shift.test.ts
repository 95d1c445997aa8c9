import { expect, test } from 'vitest';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Session } from './session.ts';
import { sharesOf, shift } from './shift.ts';

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

test('nothing is shifted by the configuration of another Worker, or one that has lost the address of the lock', async () => {
  const asked: string[] = [];
  const session = (own: object): Session => ({
    folder: '/',
    environment: {},
    wrangler: { bin: '/nowhere', module: '' },
    settings: { file: 'w.jsonc', name: 'office', raw: {}, definedEnvironments: [], ...own },
    api: {
      subdomain: async () => 'acme',
      deployed: async (name: string) => {
        asked.push(name);
        return [];
      },
    } as unknown as Session['api'],
  });
  const fn = { name: 'office', stage: 'live', id: 'office@live', entry: '', target: 'worker' as const };
  const entry: LockedFunction = {
    type: 'ipfilter',
    target: 'worker',
    address: 'https://office.acme.workers.dev',
    handles: ['CheckIP'],
    accepts: [{ ...accepted('new'), config: { worker: 'office' } }],
    keys: [],
  };
  for (const own of [{ name: 'other', workers_dev: true }, { route: 'other.example.com/*' }]) {
    const done = shift(session(own), fn, entry, { version: 'new' }, () => undefined);
    await expect(done).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  }
  expect(asked).toEqual([]);
});
