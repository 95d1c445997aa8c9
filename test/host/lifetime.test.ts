import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildHost, type HostKind, hostKinds, whyNoGo } from './build.ts';
import { type GoHost, startHost } from './driver.ts';
import { addresses, type HostFixture, startFixture } from './fixture.ts';
import { isAlive } from './process.ts';

const noGo = whyNoGo();

async function hostForTest(kind: HostKind): Promise<GoHost> {
  const host = startHost(await buildHost(kind));
  onTestFinished(() => host.close());
  return host;
}

describe.skipIf(noGo !== undefined)(`lifetime${noGo ? ` (${noGo})` : ''}`, () => {
  let fixture: HostFixture;

  beforeAll(async () => {
    fixture = await startFixture();
  });

  afterAll(async () => {
    await fixture?.close();
  });

  // SFTPGo looks after its plugins every 30 s, and before each start it kills whatever runs the same executable.
  test('two entries and two roles from one file are all alive after 35 s', { timeout: 90_000 }, async () => {
    const hosts = await Promise.all(hostKinds.map(hostForTest));
    const plugins = [];
    for (const host of hosts) {
      const first = await host.launch({ ...fixture, autoMtls: true });
      const second = await host.launch({ ...fixture, autoMtls: false });
      const otherRole = await host.launch({ ...fixture, autoMtls: true, type: 'auth' });
      plugins.push(first, second, otherRole);
    }
    await delay(35_000);
    expect(await Promise.all(plugins.map((plugin) => plugin.exited()))).toEqual(plugins.map(() => false));
    expect(new Set(plugins.map(({ pid }) => pid)).size).toBe(plugins.length);
    for (const [i, plugin] of plugins.entries()) {
      const answer =
        i % 3 === 2 ? await plugin.health() : (await plugin.checkIP(addresses.allowed[0], 'SSH')).code;
      expect(answer).toBe(i % 3 === 2 ? 'NOT_SERVING' : 'OK');
    }
    await Promise.all(hosts.map((host) => host.close()));
    expect(plugins.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  test.each(hostKinds)('kill -9 of the %s host leaves no orphan', async (kind) => {
    const host = await hostForTest(kind);
    const plugins = [
      await host.launch({ ...fixture, autoMtls: true }),
      await host.launch({ ...fixture, autoMtls: false }),
    ];
    expect(plugins.map(({ pid }) => isAlive(pid))).toEqual([true, true]);
    await host.killHard();
    const alive = () => plugins.filter(({ pid }) => isAlive(pid));
    await expect.poll(alive, { timeout: 3_000, interval: 50 }).toEqual([]);
    expect(plugins.filter(({ address }) => existsSync(dirname(address)))).toEqual([]);
  });

  test.each(hostKinds)(
    'Shutdown under load of the %s host: every call ends, nothing is forced',
    async (kind) => {
      const host = startHost(await buildHost(kind));
      const plugin = await host.launch({ ...fixture, autoMtls: true });
      // fewer than may wait, and as fast as a slow machine answers: what is shed is another test
      const ips = Array.from({ length: 400 }, (_, i) => `2001:db8:1::${i.toString(16)}`);
      const load = plugin.burst(ips, 'SSH');
      await plugin.checkIP(addresses.allowed[0], 'FTP');
      const { forced } = await plugin.kill();
      const codes = new Set((await load).map(({ code }) => code));
      expect(forced).toBe(false);
      expect(codes).toContain('OK');
      expect([...codes].filter((code) => !['OK', 'Unavailable', 'Canceled'].includes(code))).toEqual([]);
      expect(isAlive(plugin.pid)).toBe(false);
      await host.close();
    },
  );
});
