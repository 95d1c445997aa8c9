import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../faults/proxy.ts';
import { type Deployment, prepareDeployment } from '../runtimes/deployment.ts';
import { type EdgeStore, startEdgeStore } from '../support/edge-store.ts';
import { buildHost, whyNoGo } from './build.ts';
import { type GoHost, startHost } from './driver.ts';
import { type Sftpgo, startSftpgo } from './sftpgo.ts';

const binary = process.env['SFTPGO_BIN'] ?? '';
const skipped = binary === '' ? 'skipped: needs SFTPGO_BIN, the path of a real SFTPGo' : whyNoGo();

const davUser = { username: 'dora', password: 'correct horse battery staple' };
/** 48 addresses; loopback-rules.ts and the list below decide about them. */
const everyone = Array.from({ length: 48 }, (_, n) => `127.0.0.${n + 1}`);
const bannedAtFirst = ['127.0.0.5', '127.0.0.40'];

/** The rules, by hand. */
function isAllowed(ip: string, protocol: 'SSH' | 'DAV', banned: readonly string[]): boolean {
  const block = Math.floor(Number(ip.slice(ip.lastIndexOf('.') + 1)) / 16);
  return !banned.includes(ip) && (block === 0 || block === (protocol === 'SSH' ? 1 : 2));
}

describe.skipIf(skipped !== undefined)(
  `a real SFTPGo whose addresses a Worker decides about by rules${skipped ? ` (${skipped})` : ''}`,
  () => {
    let homes: string;
    let lists: EdgeStore;
    let deployment: Deployment;
    let proxy: FaultProxy;
    let client: GoHost;
    let sftpgo: Sftpgo;
    const agent = new Agent({ keepAlive: true });
    /** Requests that reached the Worker. */
    let asked = 0;

    beforeAll(async () => {
      homes = await mkdtemp(join(tmpdir(), 'homes-'));
      lists = await startEdgeStore();
      lists.put('banned.txt', bannedAtFirst.join('\n'), { etag: '1' });
      deployment = await prepareDeployment({
        entry: join(import.meta.dirname, 'loopback-rules.ts'),
        name: 'gate',
      });
      proxy = await startFaultProxy(deployment.tls);
      const publicUrl = `https://localhost:${proxy.port}`;
      const workerd = await deployment.start({ kv: { LISTS: lists.port }, publicUrl });
      proxy.upstream = workerd.port;
      await proxy.set({
        kind: 'answer',
        give(honest) {
          asked += 1;
          return honest;
        },
      });
      await deployment.lockAt(publicUrl, { section: 'alwaysAllow: []' });
      client = startHost(await buildHost('new'));
      const environment = { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
      const { stdout } = await promisify(execFile)(
        join(import.meta.dirname, '../../dist/sftpgo-plugin-serverless'),
        ['host-config', '--json', '--config', deployment.configPath],
        { env: environment },
      );
      const admin = davUser;
      sftpgo = await startSftpgo(binary, {
        plugins: JSON.parse(stdout).plugins,
        env: {
          ...environment,
          SFTPGO_DEFAULT_ADMIN_USERNAME: admin.username,
          SFTPGO_DEFAULT_ADMIN_PASSWORD: admin.password,
        },
        webdav: true,
        // the memory provider knows no user while a reload reads them again
        config: { data_provider: { driver: 'bolt', name: 'sftpgo.db', create_default_admin: true } },
      });
      await addUser(sftpgo, homes);
    });

    afterAll(async () => {
      agent.destroy();
      await sftpgo?.close();
      await client?.close();
      await proxy?.close();
      await deployment?.close();
      await lists?.close();
      if (homes) await rm(homes, { recursive: true, force: true });
    });

    /** One WebDAV request: 207 with the folder, 403 where SFTPGo did not let the address in. */
    async function webdav(from: string): Promise<number> {
      const { username, password } = davUser;
      return await new Promise((resolve, reject) => {
        const sent = request(
          {
            ...{ agent, host: '127.0.0.1', port: sftpgo.webdavPort, localAddress: from },
            ...{ method: 'PROPFIND', headers: { depth: '0' }, auth: `${username}:${password}` },
          },
          (answer) => answer.on('end', () => resolve(answer.statusCode ?? 0)).resume(),
        );
        sent.on('error', reject).end();
      });
    }

    async function sftp(from: string): Promise<string> {
      const { username: user, password } = davUser;
      return (await client.sftp({ addr: sftpgo.addr, from, user, password })).reached;
    }

    /** So many requests, 16 at once, from one address after the other; what was answered wrongly, in words. */
    async function burst(
      count: number,
      { banned, wait = () => undefined }: { banned: readonly string[]; wait?: () => unknown },
    ): Promise<readonly string[]> {
      const wrong: string[] = [];
      let next = 0;
      const worker = async () => {
        for (let n = next++; n < count; n = next++) {
          const ip = everyone[n % everyone.length] ?? '';
          const status = await webdav(ip);
          if (status !== (isAllowed(ip, 'DAV', banned) ? 207 : 403)) wrong.push(`${ip}: ${status}`);
          await wait();
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      return wrong;
    }

    test('5,000 WebDAV requests: each is answered as the rules say, and memory answers nearly all', async () => {
      expect(await burst(5000, { banned: bannedAtFirst })).toEqual([]);
      // at most one question for each address, and 16 before the first network is known
      expect(asked).toBeGreaterThan(0);
      expect(asked).toBeLessThanOrEqual(everyone.length);
      const known = asked;
      expect(await burst(480, { banned: bannedAtFirst })).toEqual([]);
      expect(asked).toBe(known);
    });

    test('SFTP: who may use it gets in, the others are turned away before the handshake', async () => {
      for (const ip of ['127.0.0.2', '127.0.0.5', '127.0.0.17', '127.0.0.33', '127.0.0.40', '127.0.0.48']) {
        expect(`${ip} ${await sftp(ip)}`).toBe(
          `${ip} ${isAllowed(ip, 'SSH', bannedAtFirst) ? 'sftp' : 'tcp'}`,
        );
      }
    });

    test('systemctl reload under traffic: not one wrong answer', async () => {
      const reloads = (async () => {
        for (let n = 0; n < 5; n += 1) {
          sftpgo.reload();
          await delay(200);
        }
      })();
      const before = asked;
      const [wrong, logins] = await Promise.all([
        burst(1500, { banned: bannedAtFirst, wait: () => delay(10) }),
        Promise.all(['127.0.0.2', '127.0.0.17', '127.0.0.33', '127.0.0.5'].map(sftp)),
        reloads,
      ]);
      expect(wrong).toEqual([]);
      expect(logins).toEqual(['sftp', 'sftp', 'tcp', 'tcp']);
      // it did ask again, and not for each request
      expect(asked - before).toBeGreaterThan(5);
      expect(asked - before).toBeLessThan(600);
    });

    test('what a reload bans is out, what it lifts is in; all others notice nothing', async () => {
      const banned = ['127.0.0.40', '127.0.0.7'];
      lists.put('banned.txt', banned.join('\n'), { etag: '2' });
      const others = everyone.filter((ip) => !['127.0.0.5', '127.0.0.7'].includes(ip));
      expect([await webdav('127.0.0.5'), await webdav('127.0.0.7')]).toEqual([403, 207]);
      sftpgo.reload();
      const wrong: string[] = [];
      const both = async () => {
        for (const ip of others) {
          if ((await webdav(ip)) !== (isAllowed(ip, 'DAV', banned) ? 207 : 403)) wrong.push(ip);
        }
        return [await webdav('127.0.0.5'), await webdav('127.0.0.7')];
      };
      await expect.poll(both, { timeout: 30_000, interval: 10 }).toEqual([207, 403]);
      expect(await sftp('127.0.0.5')).toBe('sftp');
      expect(await sftp('127.0.0.7')).toBe('tcp');
      expect(wrong).toEqual([]);
      expect(await burst(480, { banned })).toEqual([]);
    });

    test("nothing went wrong on the way, and why somebody stays out is in SFTPGo's log only", async () => {
      const lines = await sftpgo.logs();
      expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
      const verdicts = lines.filter(({ message }) => message === 'verdict');
      expect(verdicts).toContainEqual(
        expect.objectContaining({
          ip: '127.0.0.5',
          verdict: 'deny',
          reason: 'rules[0] "banned": list banned',
        }),
      );
    });
  },
);

/** Adds the user of these tests through the REST API: in a provider that keeps its users over a reload. */
async function addUser({ api }: Sftpgo, homes: string): Promise<void> {
  const { username, password } = davUser;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  const token = await fetch(`${api}/token`, { headers: { authorization: `Basic ${basic}` } });
  const { access_token: bearer } = (await token.json()) as { access_token: string };
  const added = await fetch(`${api}/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...davUser, status: 1, home_dir: homes, permissions: { '/': ['*'] } }),
  });
  if (added.status !== 201) throw new Error(`no user: ${added.status} ${await added.text()}`);
}
