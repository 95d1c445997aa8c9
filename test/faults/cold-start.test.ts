import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { playRow } from './play.ts';
import { type Stage, startStage } from './stage.ts';

const coldMs = 8000;

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({ timeoutMs: () => 15_000 });
});
afterAll(async () => {
  await stage?.close();
  vi.restoreAllMocks();
});

test('coldStart', async () => {
  const started = new Map<string, number>();
  await playRow('coldStart', stage.roles, {
    begin({ column, server }) {
      server.intercept = async (_request, honest) => {
        await sleep(coldMs);
        started.set(column, (started.get(column) ?? 0) + 1);
        return await honest();
      };
    },
    end({ server }) {
      server.intercept = undefined;
    },
  });
  // every role has waited for its function, and none has asked it again meanwhile
  expect([...started.keys()].sort()).toEqual(stage.roles.map(({ column }) => column).sort());
  for (const [column, times] of started)
    expect([column, times]).toEqual([column, column.startsWith('ip') ? 2 : 1]);
});
