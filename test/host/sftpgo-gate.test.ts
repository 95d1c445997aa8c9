import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fencedBlocks } from '../journeys/blocks.ts';
import { type Deployment, prepareDeployment } from '../runtimes/deployment.ts';
import { type EdgeStore, startEdgeStore } from '../support/edge-store.ts';
import { buildHost, whyNoGo } from './build.ts';
import { type GoHost, startHost } from './driver.ts';
import { type LoadBalancer, startLoadBalancer } from './load-balancer.ts';
import { type Sftpgo, startSftpgo } from './sftpgo.ts';

const binary = process.env['SFTPGO_BIN'] ?? '';
const skipped = binary === '' ? 'skipped: needs SFTPGO_BIN, the path of a real SFTPGo' : whyNoGo();

const root = join(import.meta.dirname, '../..');
const page = fencedBlocks(readFileSync(join(root, 'docs/ipfilter.md'), 'utf8'));
const fileOfPage = (name: string) => page.find(({ info }) => info === name)?.text ?? '';
const database = createRequire(import.meta.url).resolve(
  '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
);

/** Germany, Austria, and a private network. */
const admitted = ['193.99.144.80', '131.130.1.11', '2001:638::1', '2001:628::1', '10.1.2.3'];
/** Of the list, in three ways, and of other countries. */
const refused = ['198.51.100.7', '203.0.113.99', '2001:db8:bad::1', '8.8.8.8', '2001:4860:4860::8888'];

describe.skipIf(skipped !== undefined)(
  `the Worker of docs/ipfilter.md before a real SFTPGo${skipped ? ` (${skipped})` : ''}`,
  () => {
    let folder: string;
    let store: EdgeStore;
    let deployment: Deployment;
    let client: GoHost;
    let sftpgo: Sftpgo;
    let balancer: LoadBalancer;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'gate-'));
      await writeFile(join(folder, 'gate.ts'), fileOfPage('gate.ts'));
      store = await startEdgeStore();
      store.put('abuse.txt', fileOfPage('abuse.txt'));
      store.put('country.mmdb', await readFile(database), { etag: 'a' });
      deployment = await prepareDeployment({ entry: join(folder, 'gate.ts'), name: 'gate' });
      const workerd = await deployment.start({ kv: { GATE: store.port } });
      await deployment.lockAt(workerd.url);
      client = startHost(await buildHost('new'));
      const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
      const { stdout } = await promisify(execFile)(
        join(root, 'dist/sftpgo-plugin-serverless'),
        ['host-config', '--json', '--config', deployment.configPath],
        { env },
      );
      sftpgo = await startSftpgo(binary, {
        plugins: JSON.parse(stdout).plugins,
        env,
        webdav: { proxy_mode: 1 },
        config: { common: { proxy_protocol: 1, proxy_allowed: ['127.0.0.1'] } },
      });
      balancer = startLoadBalancer();
    });

    afterAll(async () => {
      await balancer?.close();
      await sftpgo?.close();
      await client?.close();
      await deployment?.close();
      await store?.close();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    /** How far a login by SFTP gets: `tcp` is turned away before the handshake. */
    async function sftp(ip: string): Promise<string> {
      const { user, password, addr } = sftpgo;
      const port = await balancer.portFor(ip, Number(addr.split(':')[1]));
      return (await client.sftp({ addr: `127.0.0.1:${port}`, from: '127.0.0.1', user, password })).reached;
    }

    /** 207 with the folder, 403 where SFTPGo did not let the address in. */
    async function webdav(ip: string): Promise<number> {
      const { user, password, webdavPort } = sftpgo;
      const port = await balancer.portFor(ip, webdavPort);
      return await new Promise((resolve, reject) => {
        const headers = { depth: '0', connection: 'close' };
        const options = { host: '127.0.0.1', port, method: 'PROPFIND', headers };
        request({ ...options, auth: `${user}:${password}`, agent: false }, (answer) => {
          answer.on('end', () => resolve(answer.statusCode ?? 0)).resume();
        })
          .on('error', reject)
          .end();
      });
    }

    test('two countries come in by SFTP and WebDAV; the list and the other countries do not', async () => {
      const seen: string[] = [];
      for (const ip of [...admitted, ...refused]) seen.push(`${ip} ${await sftp(ip)} ${await webdav(ip)}`);
      expect(seen).toEqual([
        ...admitted.map((ip) => `${ip} sftp 207`),
        ...refused.map((ip) => `${ip} tcp 403`),
      ]);
    });

    test("SFTPGo's log has why", async () => {
      const lines = await sftpgo.logs();
      const verdicts = lines.filter(({ message }) => message === 'verdict');
      const reasons = Object.fromEntries(verdicts.map(({ ip = '', reason }) => [ip, reason]));
      expect(reasons).toMatchObject({
        '193.99.144.80': 'rules[1] "customers": country DE',
        '131.130.1.11': 'rules[1] "customers": country AT',
        '10.1.2.3': 'a private address, and private is allow',
        '198.51.100.7': 'rules[0] "abuse": list abuse',
        '8.8.8.8': expect.stringContaining('default is deny'),
      });
      expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    });

    test('a list that is put again counts after a reload of SFTPGo', async () => {
      store.put('abuse.txt', '193.99.144.0/24\n');
      sftpgo.reload();
      const both = async () => [await webdav('193.99.144.80'), await webdav('131.130.1.11')];
      await expect.poll(both, { timeout: 30_000, interval: 50 }).toEqual([403, 207]);
      expect([await sftp('193.99.144.80'), await sftp('131.130.1.11')]).toEqual(['tcp', 'sftp']);
    });
  },
);
