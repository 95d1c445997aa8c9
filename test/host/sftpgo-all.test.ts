import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { bcrypt } from 'hash-wasm';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { authUsers, type StoredUser } from '../../functions/auth/index.ts';
import { searchEvents } from '../../functions/eventsearcher/index.ts';
import { awsKms } from '../../functions/kms/index.ts';
import { storeEvents } from '../../functions/notifier/index.ts';
import { eventsTable } from '../../functions/notifier/tables.ts';
import { type KmsServer, startKmsServer } from '../runtimes/kms-server.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';
import { buildHost, whyNoGo } from './build.ts';
import { type GoHost, startHost } from './driver.ts';
import { type Roles, startRoles } from './roles.ts';
import { type Sftpgo, startSftpgo } from './sftpgo.ts';

const binary = process.env['SFTPGO_BIN'] ?? '';
const skipped = binary === '' ? 'skipped: needs SFTPGO_BIN, the path of a real SFTPGo' : whyNoGo();

const region = 'eu-central-1';
const masterKey = 'canary-master-key';

describe.skipIf(skipped !== undefined)(
  `a real SFTPGo with five plugins${skipped ? ` (${skipped})` : ''}`,
  () => {
    const team = { password: 'paula knows', codes: new TOTP(), ...newSshKey() };
    let homes: string;
    let users: readonly StoredUser[];
    let dynamo: Dynamo;
    let kms: KmsServer;
    let roles: Roles;
    let client: GoHost;
    let sftpgo: Sftpgo;
    let token: string;

    beforeAll(async () => {
      homes = await mkdtemp(join(tmpdir(), 'homes-'));
      const hash = await bcrypt({ password: team.password, salt: randomBytes(16), costFactor: 4 });
      const settings = (username: string) => ({
        status: 1,
        home_dir: `${homes}/${username}`,
        permissions: { '/': ['*'] },
      });
      users = [
        { username: 'paula', password: hash, settings: settings('paula') },
        { username: 'karl', publicKeys: [team.publicKey], settings: settings('karl') },
        {
          username: 'kim',
          password: hash,
          totp: { secret: team.codes.secret.base32 },
          settings: settings('kim'),
        },
      ];
      dynamo = await startDynamo();
      await dynamo.create(eventsTable);
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
      kms = await startKmsServer();
      const url = await keyUrl(kms);
      roles = await startRoles({
        types: ['auth', 'kms', 'ipfilter', 'notifier', 'eventsearcher'],
        plugins: {
          auth: () => authUsers({ users }),
          kms: () => awsKms({ keys: ['alias/sftpgo'], regions: [region], endpoints: [kms.url] }),
          notifier: () => storeEvents({ client: dynamo.client }),
          eventsearcher: () => searchEvents({ client: dynamo.client }),
        },
        sections: { auth: `ceiling: { homes: [${homes}], permissions: ["*"], providers: [local] }` },
      });
      client = startHost(await buildHost('new'));
      const environment = { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
      const { stdout } = await promisify(execFile)(
        roles.cmd,
        ['host-config', '--config', roles.configPath, '--sftpgo-version', '2.7.5'],
        { env: environment },
      );
      sftpgo = await startSftpgo(binary, {
        plugins: JSON.parse(stdout).plugins,
        env: environment,
        config: { kms: { secrets: { url, master_key: masterKey } } },
      });
      token = await newToken(sftpgo);
    });

    afterAll(async () => {
      await sftpgo?.close();
      await client?.close();
      await roles?.close();
      await kms?.close();
      await dynamo?.close();
      await rm(homes, { recursive: true, force: true });
      vi.unstubAllEnvs();
    });

    const from = '127.0.0.1';
    const file = { path: '/hello.txt', put: 'hello, world' };

    async function rest(path: string, body?: object): Promise<unknown> {
      const answer = await fetch(`${sftpgo.api}${path}`, {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
      return JSON.parse(text);
    }

    test('a password: a new user logs in, writes and reads; a wrong one does not', async () => {
      const login = { addr: sftpgo.addr, from, user: 'paula' };
      expect(await client.sftp({ ...login, password: team.password, ...file })).toEqual({
        reached: 'file',
        message: '',
        got: file.put,
      });
      expect((await client.sftp({ ...login, password: 'wrong' })).reached).toBe('tcp');
      expect((await client.sftp({ ...login, password: team.password })).reached).toBe('sftp');
    });

    test('a public key: only its owner logs in, and only under his name', async () => {
      const login = { addr: sftpgo.addr, from, user: 'karl' };
      expect((await client.sftp({ ...login, privateKey: team.privateKey, ...file })).got).toBe(file.put);
      expect((await client.sftp({ ...login, privateKey: newSshKey().privateKey })).reached).toBe('tcp');
      expect((await client.sftp({ ...login, user: 'paula', privateKey: team.privateKey })).reached).toBe(
        'tcp',
      );
    });

    test('a dialogue: password and one-time code let the user in, once', async () => {
      const login = { addr: sftpgo.addr, from, user: 'kim' };
      const asked = ['Password: ', 'Authentication code: '];
      const wrong = team.codes.generate() === '000000' ? '000001' : '000000';
      expect(await client.sftp({ ...login, answers: [team.password, wrong] })).toMatchObject({
        reached: 'tcp',
        asked,
      });
      const answers = [team.password, team.codes.generate()];
      expect(await client.sftp({ ...login, answers, ...file })).toEqual({
        reached: 'file',
        message: '',
        asked,
        got: file.put,
      });
      expect(await client.sftp({ ...login, answers })).toMatchObject({ reached: 'tcp', asked });
    });

    test('a secret is stored encrypted by the function, and decrypted to open the storage', async () => {
      const passphrase = 'canary-passphrase';
      await rest('/users', {
        username: 'vera',
        password: sftpgo.password,
        status: 1,
        home_dir: join(homes, 'vera'),
        permissions: { '/': ['*'] },
        // the auth plugin does not know her
        filters: { hooks: { external_auth_disabled: true } },
        filesystem: { provider: 4, cryptconfig: { passphrase: { status: 'Plain', payload: passphrase } } },
      });
      expect(await rest('/users/vera')).toMatchObject({
        filesystem: { cryptconfig: { passphrase: { status: 'AWS', payload: expect.any(String) } } },
      });
      expect(kms.requests.map(({ operation }) => operation)).toContain('Encrypt');
      const login = { addr: sftpgo.addr, from, user: 'vera', password: sftpgo.password };
      expect((await client.sftp({ ...login, ...file })).got).toBe(file.put);
      expect(kms.requests.map(({ operation }) => operation)).toContain('Decrypt');
      const sent = JSON.stringify(roles.wire('kms'));
      for (const secret of [passphrase, masterKey, 'vera', Buffer.from(passphrase).toString('base64')]) {
        expect(sent).not.toContain(secret);
      }
    });

    test('the secret key of an S3 storage is stored encrypted too', async () => {
      const s3config = { bucket: 'team', region, access_key: 'AKIA', key_prefix: 'sam/' };
      const accessSecret = { status: 'Plain', payload: 'canary-s3-secret' };
      await rest('/users', {
        ...{ username: 'sam', password: sftpgo.password, status: 1, home_dir: join(homes, 'sam') },
        permissions: { '/': ['*'] },
        filesystem: { provider: 1, s3config: { ...s3config, access_secret: accessSecret } },
      });
      expect(await rest('/users/sam')).toMatchObject({
        filesystem: {
          s3config: { ...s3config, access_secret: { status: 'AWS', payload: expect.any(String) } },
        },
      });
      expect(JSON.stringify(roles.wire('kms'))).not.toContain(accessSecret.payload);
    });

    test('what happened is found through the REST API', async () => {
      const uploads = async () =>
        (await rest('/events/fs?actions=upload&limit=10&order=ASC')) as Readonly<Record<string, unknown>>[];
      await expect.poll(async () => (await uploads()).length, { timeout: 30_000 }).toBe(4);
      expect(await uploads()).toMatchObject(
        ['paula', 'karl', 'kim', 'vera'].map((username) => ({
          ...{ username, action: 'upload', virtual_path: '/hello.txt', protocol: 'SFTP', status: 1 },
          ...{ ip: '127.0.0.1', file_size: file.put.length, instance_id: 'node1' },
        })),
      );
      expect(await rest('/events/fs?actions=upload&username=kim')).toMatchObject([{ username: 'kim' }]);
      expect(await rest('/events/fs?actions=rmdir')).toEqual([]);
      const added = () => rest('/events/provider?actions=add&object_types=user&object_name=vera');
      await expect
        .poll(added, { timeout: 30_000 })
        .toMatchObject([{ username: sftpgo.user, action: 'add', object_type: 'user', object_name: 'vera' }]);
      const failed = { event: 1, username: 'paula', ip: '127.0.0.1' };
      await expect
        .poll(() => rest('/events/logs?events=1&username=paula'), { timeout: 30_000 })
        .toMatchObject([failed, failed]);
    });

    test('nothing went wrong on the way', async () => {
      const lines = await sftpgo.logs();
      const ofPlugins = lines.filter(({ sender }) => sender?.startsWith('plugins.'));
      expect(ofPlugins.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
      expect(JSON.stringify(lines)).not.toContain('canary-');
    });
  },
);

/** An Ed25519 key as an SSH client has it, and as its public half stands in authorized_keys (RFC 8709). */
function newSshKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(raw)]);
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: `ssh-ed25519 ${blob.toString('base64')}`,
  };
}

/** Makes a key with an alias; returns it as SFTPGo's kms.secrets.url. */
async function keyUrl({ url }: KmsServer): Promise<string> {
  const admin = new KMSClient({ region, endpoint: url });
  const { KeyMetadata } = await admin.send(new CreateKeyCommand({}));
  await admin.send(new CreateAliasCommand({ AliasName: 'alias/sftpgo', TargetKeyId: KeyMetadata?.KeyId }));
  admin.destroy();
  return `awskms://alias/sftpgo?region=${region}&endpoint=${encodeURIComponent(url)}`;
}

/** Logs in to the REST API as the administrator. */
async function newToken({ api, user, password }: Sftpgo): Promise<string> {
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  const answer = await fetch(`${api}/token`, { headers: { authorization: `Basic ${basic}` } });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return token;
}
