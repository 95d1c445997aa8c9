import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHost, hostKinds, whyNoGo } from './build.ts';
import { type GoHost, type LogLine, startHost } from './driver.ts';
import { addresses, type HostFixture, startFixture } from './fixture.ts';

const noGo = whyNoGo();

/** What the plugin itself wrote, not go-plugin about it. */
function written(logs: readonly LogLine[]): readonly LogLine[] {
  return logs.filter(({ logger }) => logger.startsWith('plugins.sftpgo-plugin-serverless'));
}

describe.skipIf(noGo !== undefined).each(hostKinds)(`repair, %s host${noGo ? ` (${noGo})` : ''}`, (kind) => {
  let fixture: HostFixture;
  let host: GoHost;

  beforeEach(async () => {
    fixture = await startFixture();
    host = startHost(await buildHost(kind));
  });

  afterEach(async () => {
    await host?.close();
    await fixture?.close();
  });

  test('a file of another SHA-256 is not started', async () => {
    const sha256 = fixture.sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    await expect(host.launch({ ...fixture, sha256, autoMtls: true })).rejects.toThrow(
      'checksums did not match',
    );
  });

  test('a broken config starts, refuses every call with its reason, and heals when mended', async () => {
    const good = await readFile(fixture.configPath, 'utf8');
    await writeFile(fixture.configPath, good.replace('ipfilter:', 'ipfliter:'));
    const plugin = await host.launch({ ...fixture, autoMtls: true });

    for (const ip of [...addresses.allowed, ...addresses.denied]) {
      expect((await plugin.checkIP(ip, 'SSH')).code).toBe('FailedPrecondition');
    }
    expect(await plugin.health()).toBe('NOT_SERVING');
    const errors = written(await plugin.logs()).filter(({ level }) => level === 'error');
    expect(errors).not.toEqual([]);
    expect(errors[0]?.message).toContain('ipfliter');
    expect(errors[0]?.message).toContain(fixture.configPath);

    await writeFile(fixture.configPath, good);
    const verdict = async () => (await plugin.checkIP(addresses.allowed[0], 'SSH')).code;
    await expect.poll(verdict, { timeout: 30_000, interval: 250 }).toBe('OK');
    expect((await plugin.checkIP(addresses.denied[0], 'SSH')).code).toBe('PermissionDenied');
    expect(await plugin.health()).toBe('SERVING');
  });

  test('log lines arrive at their level, as a message and fields', async () => {
    const plugin = await host.launch({ ...fixture, autoMtls: true });
    await plugin.checkIP(addresses.allowed[0], 'SSH');
    await plugin.checkIP(addresses.denied[0], 'SSH');
    const lines = written(await plugin.logs());
    expect(lines.filter(({ level }) => level === 'info')).not.toEqual([]);
    expect(lines.filter(({ message }) => message === '' || message.startsWith('{'))).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
