import { expect, test } from 'vitest';
import type { RoleStatus } from '../../adapter/metrics/status-socket.ts';
import { whyNoGo } from '../host/build.ts';
import { Ledger } from '../soak/ledger.ts';
import { rssPlot } from '../soak/plot.ts';
import { report } from '../soak/report.ts';
import { soak } from '../soak/run.ts';
import { slope } from '../soak/samples.ts';

const noGo = whyNoGo();

const minutes = Number(process.env['SOAK_MINUTES'] ?? 0.5);

test.skipIf(noGo !== undefined)(
  `every call of ${minutes} minutes with kills, cuts and edits is accounted for${noGo ? ` (${noGo})` : ''}`,
  async () => {
    const soaked = await soak({ minutes, rate: 30, say: () => undefined });
    expect(soaked.problems, report(soaked)).toEqual([]);
    expect(new Set(soaked.closing.rows.map(({ type }) => type)).size).toBe(6);
    expect(soaked.events.get('adapter killed (SIGKILL), started again')).toBe(6);
    expect(rssPlot(soaked.samples, minutes)).toContain('</svg>');
  },
  minutes * 60_000 + 240_000,
);

const status = (
  samples: readonly (readonly [family: string, labels: Record<string, string>, value: number])[],
) =>
  ({
    type: 'kms',
    pid: 1,
    samples: samples.map(([family, labels, value]) => ({ family, labels, value })),
  }) satisfies RoleStatus;

test('books that do not close say so', () => {
  const ledger = new Ledger();
  const call = { type: 'kms', rpc: 'Encrypt' } as const;
  ledger.ended({ ...call, n: 1, how: 'ok' });
  ledger.told('kms', 'Encrypt', '1');
  ledger.ended({ ...call, n: 2, how: 'UNREACHABLE' });
  ledger.told('kms', 'Encrypt', '2');
  ledger.counted(
    status([
      ['calls_total', { rpc: 'Encrypt', outcome: 'ok' }, 1],
      ['calls_total', { rpc: 'Encrypt', outcome: 'unreachable' }, 1],
    ]),
  );
  expect(ledger.close()).toMatchObject({ differences: [], lost: 1 });

  ledger.ended({ ...call, n: 3, how: 'ok' });
  ledger.told('kms', 'Encrypt', '4');
  ledger.ended({ ...call, n: undefined, how: 'ok', wrong: 'wrong content' });
  ledger.told('auth', 'CheckUserAndPass', '5');
  ledger.told('auth', 'CheckUserAndPass', '5');
  expect(ledger.close().differences).toEqual([
    'kms Encrypt 3: ok, and the function was not asked',
    'kms Encrypt undefined: wrong content',
    'kms Encrypt 4: the function was asked, the host did not ask',
    'auth CheckUserAndPass 5: the function was asked, the host did not ask',
    'kms answered: host 3, adapter 1',
    'auth CheckUserAndPass 5: a login was sent twice',
    '1 questions arrived twice, 0 were sent twice',
  ]);
});

test('a slope is that of the line through the points', () => {
  expect(
    slope([
      [0, 10],
      [1, 12],
      [2, 14],
    ]),
  ).toBe(2);
  expect(slope([[1, 5]])).toBe(0);
});
