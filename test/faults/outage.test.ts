import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { endingOf } from './columns.ts';
import type { Column } from './matrix.ts';
import { recovers } from './play.ts';
import { type Role, type Stage, startStage } from './stage.ts';

/** Whose calls may be sent again; logins may not. */
const repeatable: readonly Column[] = ['kms', 'ipfilter', 'notifier', 'eventsearcher', 'metadata'];
const calls = 300;

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({ columns: ['auth', ...repeatable] });
});
afterAll(async () => {
  await stage?.close();
  vi.restoreAllMocks();
});

const roleOf = (column: Column): Role => {
  const role = stage.roles.find((one) => one.column === column);
  if (role === undefined) throw new Error(`no ${column}`);
  return role;
};

/** Asks so often, one after the other; gives the endings. */
async function ask(role: Role, times: number): Promise<ReadonlySet<string>> {
  const endings = new Set<string>();
  for (let n = 0; n < times; n += 1) endings.add(await endingOf(role.ask()));
  return endings;
}

test('answers of every code, signed, leave the breaker closed: each call reaches the function', async () => {
  for (const role of stage.roles) {
    for (const [status, code] of [
      [503, 'unavailable'],
      [500, 'internal'],
      [504, 'deadline_exceeded'],
      [429, 'resource_exhausted'],
      [403, 'permission_denied'],
    ] as const) {
      role.server.intercept = (request) =>
        role.server.sign(request, { status, body: JSON.stringify({ code }) });
      const before = role.server.requests.length;
      const endings = await ask(role, 12);
      expect([role.column, code, role.server.requests.length - before]).toEqual([role.column, code, 12]);
      expect([...endings].filter((ending) => ending === 'answered')).toEqual([]);
    }
    role.server.intercept = undefined;
    expect(await endingOf(role.ask())).toBe('answered');
  }
});

test('the id that the function gets is in the log and in the error of SFTPGo, an event of its own id too', async () => {
  for (const role of stage.roles) {
    role.server.intercept = (request) =>
      role.server.sign(request, { status: 500, body: '{"code":"internal"}' });
    const error: unknown = await role.ask().catch((thrown: unknown) => thrown);
    role.server.intercept = undefined;
    const sent = new Map(role.server.requests.at(-1)?.headers).get('plugin-call-id');
    expect(sent).toMatch(role.column === 'notifier' ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{32}$/);
    expect(String(error)).toContain(`(FUNCTION_ERROR, call ${sent})`);
    await expect.poll(() => role.loggedCalls, { timeout: 20_000 }).toContain(sent);
  }
});

test.each(repeatable)(
  '%s: with the function dead, the network sees at most 1.2 times the calls, and none while the breaker is open',
  async (column) => {
    const role = roleOf(column);
    await recovers(role);
    await role.proxy.set({ kind: 'refuse' });
    await role.proxy.drop();
    const before = role.proxy.connections;
    const burst = await Promise.all(Array.from({ length: calls }, () => endingOf(role.ask())));
    expect(new Set(burst)).toEqual(new Set(['UNREACHABLE 14']));
    expect(role.proxy.connections - before).toBeLessThanOrEqual(1.2 * calls);
    expect(await ask(role, calls)).toEqual(new Set(['UNREACHABLE 14']));
    expect(role.proxy.connections - before).toBeLessThanOrEqual(1.2 * 2 * calls);
    // every two seconds one call tries: between two of them there are none
    const network = async () => {
      const already = role.proxy.connections;
      const endings = await ask(role, 20);
      return [...endings, role.proxy.connections - already];
    };
    await expect.poll(network, { timeout: 20_000, interval: 0 }).toEqual(['UNREACHABLE 14', 0]);
    expect(role.lines.join('\n')).toContain('failed too often');
    await role.proxy.set(undefined);
    await recovers(role);
  },
);

test('auth: a login is sent once, however the connection ends', async () => {
  const role = roleOf('auth');
  await recovers(role);
  await role.proxy.set({ kind: 'reset' });
  const before = role.server.requests.length;
  expect(await ask(role, 5)).toEqual(new Set(['UNREACHABLE 14']));
  expect(role.server.requests.length - before).toBeLessThanOrEqual(5);
  await role.proxy.set(undefined);
  await recovers(role);
});
