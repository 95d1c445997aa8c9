import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHost, whyNoGo } from './build.ts';
import { type GoHost, startHost } from './driver.ts';
import { addresses, type HostFixture, startFixture } from './fixture.ts';
import { isAlive } from './process.ts';
import { type Sftpgo, startSftpgo } from './sftpgo.ts';

const binary = process.env['SFTPGO_BIN'] ?? '';
const skipped = binary === '' ? 'skipped: needs SFTPGO_BIN, the path of a real SFTPGo' : whyNoGo();

describe.skipIf(skipped !== undefined)(`a real SFTPGo${skipped ? ` (${skipped})` : ''}`, () => {
  let fixture: HostFixture;
  let client: GoHost;
  let sftpgo: Sftpgo;

  beforeAll(async () => {
    fixture = await startFixture();
    client = startHost(await buildHost('new'));
    const hostConfig = await promisify(execFile)(
      fixture.cmd,
      ['host-config', '--json', '--config', fixture.configPath],
      { env: fixture.environment },
    );
    const { plugins } = JSON.parse(hostConfig.stdout);
    expect(plugins).toMatchObject([{ type: 'ipfilter', auto_mtls: true, sha256sum: fixture.sha256 }]);
    sftpgo = await startSftpgo(binary, { plugins, env: fixture.environment });
  });

  afterAll(async () => {
    await sftpgo?.close();
    await client?.close();
    await fixture?.close();
  });

  const login = (from: string) => client.sftp({ ...sftpgo, from });

  async function linesOfPlugin() {
    const lines = await sftpgo.logs();
    return lines.filter(({ sender }) => sender === 'plugins.ipfilter.sftpgo-plugin-serverless');
  }

  test('an SFTP session from an allowed address works', async () => {
    expect(await login(addresses.allowedLoopback)).toEqual({ reached: 'sftp', message: '' });
  });

  test('a connection from a denied address ends before the SSH handshake', async () => {
    expect((await login(addresses.deniedLoopback)).reached).toBe('tcp');
    expect(await linesOfPlugin()).toContainEqual(
      expect.objectContaining({ level: 'debug', message: 'denied' }),
    );
  });

  test('systemctl reload reaches the plugin and changes no verdict', async () => {
    sftpgo.reload();
    // the memory provider reads its users again, too, and knows none of them meanwhile
    const reached = async () => (await login(addresses.allowedLoopback)).reached;
    await expect.poll(reached, { timeout: 30_000, interval: 100 }).toBe('sftp');
    expect((await login(addresses.deniedLoopback)).reached).toBe('tcp');
    const errors = (await sftpgo.logs()).filter(({ level }) => level === 'error');
    expect(errors).toEqual([]);
  });

  test("the plugin speaks SFTPGo's log: its level, a message, no raw JSON", async () => {
    const lines = await linesOfPlugin();
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', message: 'serving', type: 'ipfilter' }),
    );
    expect(lines.filter(({ level, message }) => level === 'error' || message?.startsWith('{'))).toEqual([]);
  });

  test('the plugin ends with SFTPGo', async () => {
    const started = (await sftpgo.logs()).find(({ message }) => message === 'plugin started');
    const pid = Number(started?.['pid']);
    expect(isAlive(pid)).toBe(true);
    await sftpgo.close();
    expect(isAlive(pid)).toBe(false);
  });
});
