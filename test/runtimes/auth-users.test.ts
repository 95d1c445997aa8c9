import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { openLocal } from '../../adapter/targets/local/index.ts';
import { dynamoUsers, usersTable } from '../../functions/auth/dynamo.ts';
import { authUsers } from '../../functions/auth/index.ts';
import { call } from '../../functions/kit/test.ts';
import { type BuiltFunction, buildFunction } from '../../infra/build/function.ts';
import { acceptedLocal, manifestOf } from '../../infra/build/manifest.ts';
import { Auth } from '../../proto/gen/sftpgo/auth_pb.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';
import { newKeys } from '../support/function-server.ts';
import { callOf, connectionTo, recordingLog } from '../support/invoke.ts';
import { publicOf } from '../support/keys.ts';
import { codeOf } from '../support/policies.ts';
import { startWorkerd } from './workerd.ts';

/** Vectors of test/vectors/password-hashes.json, each for the password hunter2. */
const hashes = {
  argon2id: '$argon2id$v=19$m=32,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$pzAdLgJgh10OIHySa4P5q0lbSIHMjISc2fbb/pIUrlU',
  bcrypt: '$2a$06$34V0XjppPW9uRPgNv8b3qOizuMgLMkmo57I6SOg0yRmZjzO/Gz4fi',
  pbkdf2: '$pbkdf2-sha256$1000$E86a9YMX3zC7$AWBg/4RGA5uNnlsjrH70D75FhirvCc1vnLLiBP//pcM=',
  sha512crypt:
    '$6$Sa1t.567$YxuoLZUuqfqxLQySZE746GgBo.1uDR79qol9NIolnXJzqjQUDpRnalgAIR08N1AJiJtdkD/zYMVqD1SucHUx80',
} as const;
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const utf8 = new TextEncoder();
let folder: string;
let dynamo: Dynamo;
let built: BuiltFunction;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auth-users-'));
  dynamo = await startDynamo();
  await dynamo.create(usersTable);
  const users = Object.entries(hashes).map(([username, password]) => ({ username, password }));
  const source = `import { authUsers } from 'sftpgo-plugin-serverless/functions/auth';
export default authUsers({ users: ${JSON.stringify(users)} });`;
  await writeFile(join(folder, 'team.ts'), source);
  built = await buildFunction({ entry: join(folder, 'team.ts'), name: 'team', outDir: folder });
});
afterAll(async () => {
  await dynamo.close();
  await rm(folder, { recursive: true });
});

/** What a login by password comes to; SFTPGo knows the user. */
const login = (handle: ReturnType<typeof createInvoke>, username: string, password = 'hunter2') =>
  codeOf(
    handle(
      callOf(Auth.method.checkUserAndPass, {
        ...{ username, password, ip: '192.0.2.1', protocol: 'SSH' },
        user: utf8.encode(JSON.stringify({ id: 1, username })),
      }),
    ),
  );

test('in the thread of a local function every kind of hash is checked', async () => {
  const keys = newKeys();
  const log = recordingLog();
  const { target, verifier, ownKeys } = openLocal(
    'office@live',
    {
      type: 'auth',
      target: 'local',
      address: 'team.worker.mjs',
      handles: [...built.handles],
      accepts: [acceptedLocal(manifestOf('team', built), 'team.worker.mjs')],
      keys: [],
    },
    { folder, caller: publicOf(keys.adapterKey), config: undefined, log },
  );
  const handle = createInvoke({
    ...connectionTo(target.origin(''), keys, { target, log, require: 'platform' }),
    ...{ verifier, keys: ownKeys },
  });
  try {
    for (const username of Object.keys(hashes)) {
      expect([username, await login(handle, username)]).toEqual([username, 'answered']);
      expect([username, await login(handle, username, 'hunter3')]).toEqual([username, 'DENIED']);
    }
    expect(await login(handle, 'nobody')).toBe('DENIED');
  } finally {
    await target.close();
  }
});

test('in workerd, without Node and WebAssembly, all but bcrypt, which is a failure and no denial', async () => {
  const keys = newKeys();
  const workerd = await startWorkerd({
    module: join(folder, 'team.worker.mjs'),
    env: {
      PLUGIN_FUNCTION: 'office@live',
      PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(keys.adapterKey)] }),
    },
    secrets: { PLUGIN_KEY: JSON.stringify(keys.functionKey) },
  });
  try {
    const { buildId: version = '' } = built.artifacts.find(({ runtime }) => runtime === 'worker') ?? {};
    const handle = createInvoke(connectionTo(workerd.url, keys, { version }));
    for (const username of ['argon2id', 'pbkdf2', 'sha512crypt']) {
      expect([username, await login(handle, username)]).toEqual([username, 'answered']);
      expect([username, await login(handle, username, 'hunter3')]).toEqual([username, 'DENIED']);
    }
    expect(await login(handle, 'bcrypt')).toBe('FUNCTION_ERROR');
  } finally {
    await workerd.close();
  }
});

const put = async (item: object) =>
  await DynamoDBDocumentClient.from(new DynamoDBClient(dynamo.client)).send(
    new PutCommand({ TableName: usersTable.TableName, Item: { ...item } }),
  );

test('a user in DynamoDB: password, key, settings with 64-bit numbers, attributes of others', async () => {
  const plugin = call(authUsers({ users: dynamoUsers({ client: dynamo.client }) }));
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
  await put({
    ...{ username: 'alice', password: hashes.sha512crypt, publicKeys: new Set([key]), costCentre: 7 },
    settings: {
      home_dir: '/srv/sftp/alice',
      quota_size: 9_007_199_254_740_993n,
      groups: [{ name: 'a', type: 1 }],
    },
  });
  const patch = {
    status: 1,
    home_dir: '/srv/sftp/alice',
    quota_size: 9_007_199_254_740_993n,
    groups: [{ name: 'a', type: 1 }],
  };
  expect(await plugin.checkUserAndPass({ username: 'alice', password: 'hunter2' })).toMatchObject({
    grant: 'merge',
    user: patch,
  });
  expect(await plugin.checkUserAndPass({ username: 'alice', password: 'hunter3' })).toMatchObject({
    accepted: false,
  });
  expect(await plugin.checkUserAndPublicKey({ username: 'alice', pubKey: key })).toMatchObject({
    accepted: true,
  });
  expect(
    await plugin.checkUserAndPass({
      username: 'alice',
      password: 'hunter2',
      user: { ...patch, id: 1, username: 'alice', groups: [{ name: 'a', type: 1 }] },
    }),
  ).toMatchObject({ grant: 'unchanged' });
  expect(await plugin.checkUserAndPass({ username: 'nobody', password: 'hunter2' })).toMatchObject({
    accepted: false,
  });
});

test('a code is good once over all copies of the function, however many come at once', async () => {
  await put({ username: 'tina', password: hashes.sha512crypt, totp: { secret, digits: 6 } });
  const copies = Array.from({ length: 5 }, () =>
    call(authUsers({ users: dynamoUsers({ client: dynamo.client }) })),
  );
  const token = new TOTP({ secret }).generate();
  const results = await Promise.all(
    copies.map(async (copy) => {
      await copy.sendKeyboardAuthRequest({ username: 'tina', step: 1 });
      await copy.sendKeyboardAuthRequest({ username: 'tina', step: 2, answers: ['hunter2'] });
      return (await copy.sendKeyboardAuthRequest({ username: 'tina', step: 3, answers: [token] })).accepted;
    }),
  );
  expect(results.filter((accepted) => accepted)).toHaveLength(1);
});

test('a user of the table that makes no sense, or a table that is not there, is a failure', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  await put({ username: 'broken', password: 'in the clear' });
  const plugin = call(authUsers({ users: dynamoUsers({ client: dynamo.client }) }));
  const away = call(authUsers({ users: dynamoUsers({ client: dynamo.client, table: 'another' }) }));
  const asked = { username: 'broken', password: 'in the clear' };
  await expect(plugin.checkUserAndPass(asked)).rejects.toMatchObject({ code: 'failed_precondition' });
  await expect(away.checkUserAndPass(asked)).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(JSON.stringify(error.mock.calls)).not.toContain('in the clear');
  error.mockRestore();
});
