import { expect } from 'vitest';
import type { PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { endingOf, learn } from './columns.ts';
import type { Word } from './functions/addresses.ts';
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
 * before the host's deadline, what ipfilter remembers still counts, expired or, under drift, while it is fresh, and
 * after `end` calls are answered again by the same processes.
 */
export async function playRow<P extends Player>(
  name: keyof typeof matrix,
  players: readonly P[],
  happens: {
    begin(player: P): Promise<unknown> | unknown;
    end(player: P): Promise<unknown> | unknown;
    /** What the function is asked to do; absent: nothing. */
    readonly word?: Word | undefined;
  },
): Promise<void> {
  const filters = players.filter(({ column }) => column.startsWith('ipfilter'));
  await Promise.all(players.map(recovers));
  const kept = await Promise.all(filters.map(({ adapter, column }) => learn(adapter, column, happens.word)));
  await Promise.all(players.map((player) => happens.begin(player)));
  const endings = await Promise.all(
    players.map(async ({ column, ask }) => [column, await endingOf(ask(happens.word))] as const),
  );
  const fresh = await Promise.all(kept.map((memory) => endingOf(memory.fresh())));
  const stale = await Promise.all(kept.map((memory) => endingOf(memory.stale())));
  await Promise.all(players.map((player) => happens.end(player)));
  expect(Object.fromEntries(endings)).toEqual(
    Object.fromEntries(players.map(({ column }) => [column, statusOf(matrix[name].ends[column])])),
  );
  const drift = filters.some(({ column }) => matrix[name].ends[column] === 'DRIFT');
  expect(fresh).toEqual(kept.map(({ ending }) => statusOf(ending)));
  expect(stale).toEqual(kept.map(({ ending }) => statusOf(drift ? 'DRIFT' : ending)));
  await Promise.all(players.map(recovers));
}
