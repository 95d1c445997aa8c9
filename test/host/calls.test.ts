import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHost, hostKinds, whyNoGo } from './build.ts';
import { type GoHost, type LaunchedPlugin, startHost } from './driver.ts';
import { addresses, type HostFixture, startFixture } from './fixture.ts';
import { isAlive } from './process.ts';

const noGo = whyNoGo();
const ways = hostKinds.flatMap((kind) => [true, false].map((autoMtls) => ({ kind, autoMtls })));

describe.skipIf(noGo !== undefined).each(ways)(
  `calls of the $kind host, AutoMTLS $autoMtls${noGo ? ` (${noGo})` : ''}`,
  ({ kind, autoMtls }) => {
    let fixture: HostFixture;
    let host: GoHost;
    let plugin: LaunchedPlugin;

    beforeAll(async () => {
      fixture = await startFixture();
      host = startHost(await buildHost(kind));
      const { cmd, args, env, sha256 } = fixture;
      plugin = await host.launch({ cmd, args, env, sha256, autoMtls });
    });

    afterAll(async () => {
      await host?.close();
      await fixture?.close();
    });

    test('is built from the go-plugin and SDK it stands for', async () => {
      const versions = await host.versions();
      expect(versions).toMatchObject(
        kind === 'new'
          ? { 'github.com/hashicorp/go-plugin': 'v1.8.0', 'github.com/sftpgo/sdk': 'v0.1.9' }
          : { 'github.com/hashicorp/go-plugin': 'v1.4.4', 'github.com/sftpgo/sdk': 'v0.1.1' },
      );
    });

    test.each(addresses.allowed)('%s is allowed', async (ip) => {
      expect(await plugin.checkIP(ip, 'SSH')).toEqual({ ip, code: 'OK', message: '' });
    });

    test.each(addresses.denied)('%s is denied by the function', async (ip) => {
      expect(await plugin.checkIP(ip, 'SSH')).toMatchObject({ ip, code: 'PermissionDenied' });
    });

    test('a rule for some protocols needs a host that names the protocol', async () => {
      const codes = ['HTTP', 'DAV', 'SSH', 'FTP'].map(
        async (protocol) => (await plugin.checkIP('203.0.113.7', protocol)).code,
      );
      expect(await Promise.all(codes)).toEqual(
        kind === 'new'
          ? ['OK', 'OK', 'PermissionDenied', 'PermissionDenied']
          : Array(4).fill('PermissionDenied'),
      );
    });

    test('what is no address is denied', async () => {
      expect((await plugin.checkIP('/run/sftpgo.sock', 'HTTP')).code).not.toBe('OK');
    });

    test('Reload is answered, and verdicts stay what they were', async () => {
      expect(await plugin.reload()).toEqual({ code: 'OK', message: '' });
      expect((await plugin.checkIP(addresses.allowed[0], 'FTP')).code).toBe('OK');
      expect((await plugin.checkIP(addresses.denied[0], 'FTP')).code).toBe('PermissionDenied');
    });

    test('250 connections at once each get their own verdict', async () => {
      const ips = Array.from({ length: 250 }, (_, i) => (i % 2 === 0 ? `192.0.2.${i}` : `198.51.100.${i}`));
      const outcomes = await plugin.burst(ips, 'SSH');
      expect(outcomes.map(({ ip, code }) => [ip, code])).toEqual(
        ips.map((ip, i) => [ip, i % 2 === 0 ? 'OK' : 'PermissionDenied']),
      );
    });

    test('the health service says SERVING', async () => {
      expect(await plugin.health()).toBe('SERVING');
    });

    test('Kill ends it gracefully and leaves no socket behind', async () => {
      expect(existsSync(plugin.address)).toBe(true);
      expect(await plugin.exited()).toBe(false);
      expect(await plugin.kill()).toMatchObject({ forced: false });
      expect(await plugin.exited()).toBe(true);
      expect(isAlive(plugin.pid)).toBe(false);
      expect(existsSync(dirname(plugin.address))).toBe(false);
      const logs = await plugin.logs();
      expect(logs.filter(({ level }) => level === 'error')).toEqual([]);
    });
  },
);
