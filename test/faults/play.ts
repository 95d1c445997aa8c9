import { expect } from 'vitest';
import type { PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { askRemembered, endingOf, type Word } from './columns.ts';
import { type Column, matrix, statusOf } from './matrix.ts';

/** What a row needs of a role. */
export interface Player {
  readonly column: Column;
  readonly adapter: PluginClient;
  ask(word?: Word): Promise<unknown>;
}

/** The breaker rests for two seconds; the rest is for a machine that is busy. */
const recoveryMs = 30_000;

/** Waits until the role answers again, without a restart. */
export async function recovers({ column, ask, adapter }: Player): Promise<void> {
  const { pid } = adapter;
  await expect
    .poll(async () => `${column}: ${await endingOf(ask())}`, { timeout: recoveryMs, interval: 100 })
    .toBe(`${column}: answered`);
  expect([adapter.pid, adapter.exited]).toEqual([pid, false]);
}

/**
 * Plays one row for all columns: calls are answered, `begin` makes it happen, each call ends as the matrix says and
 * before the host's deadline, what ipfilter remembers still counts, and after `end` calls are answered again by the same
 * processes.
 */
export async function playRow<P extends Player>(
  name: keyof typeof matrix,
  players: readonly P[],
  happens: {
    begin(player: P): Promise<unknown> | unknown;
    end(player: P): Promise<unknown> | unknown;
    /** Absent: as any call. */
    ask?(player: P): Promise<unknown>;
  },
): Promise<void> {
  const filters = players.filter(({ column }) => column.startsWith('ipfilter'));
  await Promise.all(players.map(recovers));
  await Promise.all(filters.map(({ adapter }) => askRemembered(adapter)));
  await Promise.all(players.map((player) => happens.begin(player)));
  const ask = happens.ask ?? ((player: P) => player.ask());
  const endings = await Promise.all(
    players.map(async (player) => [player.column, await endingOf(ask(player))] as const),
  );
  const remembered = await Promise.all(filters.map(({ adapter }) => endingOf(askRemembered(adapter))));
  await Promise.all(players.map((player) => happens.end(player)));
  expect(Object.fromEntries(endings)).toEqual(
    Object.fromEntries(players.map(({ column }) => [column, statusOf(matrix[name].ends[column])])),
  );
  expect(remembered).toEqual(filters.map(() => 'answered'));
  await Promise.all(players.map(recovers));
}
