import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PublishVersionCommand,
  paginateListVersionsByFunction,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteParameterCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writePrivateKey } from '../../adapter/cli/keys/files.ts';
import { codeSha256Of } from '../../infra/build/function.ts';
import { changeFunction } from '../../infra/lock/change-function.ts';
import { readLockFile, writeLock } from '../../infra/lock/write.ts';
import { parsePrivateJwk } from '../../proto/keys/parse.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { startLambdaHost } from '../runtimes/lambda-host.ts';
import { newKey } from '../support/keys.ts';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';
import { type WatchedEndpoint, watchEndpoint } from '../support/watched-endpoint.ts';
import { type LambdaProject, officeService, prepareLambdaProject } from './lambda-project.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';
const region = 'eu-central-1';
/** osls takes its time, and more than once a test. */
const longMs = 300_000;
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'test' };

describe.skipIf('skipped' in found)(`deploy to Lambda, by osls and the AWS SDK, on moto${skipped}`, () => {
  let moto: MotoServer;
  /** In front of moto, for commands that are killed. */
  let watched: WatchedEndpoint;
  let project: LambdaProject;
  let lambda: LambdaClient;
  let ssm: SSMClient;

  beforeAll(async () => {
    moto = await startMoto('program' in found ? found.program : '');
    watched = await watchEndpoint(moto.url);
    project = await prepareLambdaProject(moto.url);
    lambda = new LambdaClient({ region, endpoint: moto.url, credentials });
    ssm = new SSMClient({ region, endpoint: moto.url, credentials });
  });
  afterAll(async () => {
    lambda?.destroy();
    ssm?.destroy();
    await project?.close();
    watched?.close();
    await moto?.close();
  });

  const at = (name: string) => join(project.folder, name);
  const nameOf = (stage: string) => `net-${stage}-office`;
  const lockNow = async (): Promise<Lock | undefined> =>
    await readLockFile({ lockFile: at('bundles.lock.json'), signerFile: at('lock-signer.key.json') });
  const entryOf = async (stage: string) => (await lockNow())?.functions[`office@${stage}`];
  const accepted = async (stage: string) => (await entryOf(stage))?.accepts.map(({ version }) => version);
  const live = async (stage: string) =>
    (await lambda.send(new GetAliasCommand({ FunctionName: nameOf(stage), Name: 'live' }))).FunctionVersion;
  const versions = async (stage: string) => {
    const all = [];
    const pages = paginateListVersionsByFunction({ client: lambda }, { FunctionName: nameOf(stage) });
    for await (const { Versions } of pages) all.push(...(Versions ?? []));
    return all.map(({ Version }) => Version);
  };
  const keyOf = async (stage: string, name = 'office') => {
    const { Parameter } = await ssm.send(
      new GetParameterCommand({ Name: `/sftpgo/${stage}/${name}`, WithDecryption: true }),
    );
    expect(Parameter?.Type).toBe('SecureString');
    return parsePrivateJwk(JSON.parse(Parameter?.Value ?? ''));
  };
  /** Every file of the project, but for what was installed. */
  const everything = async () => {
    const names = await readdir(project.folder, { recursive: true, withFileTypes: true });
    const files = names.filter((file) => file.isFile() && !file.parentPath.includes('node_modules'));
    return (
      await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
    ).join();
  };

  test('--dry-run needs the account to look at, and changes nothing', async () => {
    await project.build();
    const { code, stdout } = await project.run(['deploy', '--dry-run', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      dryRun: true,
      functions: {
        'office@live': expect.arrayContaining([
          'not in the lock yet',
          'key /sftpgo/live/office would be made',
          'function net-live-office would be made by the stack',
        ]),
      },
    });
    expect(await lockNow()).toBeUndefined();
    await expect(keyOf('live')).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('from nothing: key, stack, version, read-back, lock and alias in one go; the key is on no disk', async () => {
    const manifest = await project.build();
    const { code, stdout, stderr } = await project.run(['deploy']);
    expect(stderr).toContain('office@live: made its key, in /sftpgo/live/office');
    expect([code, stdout.split('\n')[1]]).toEqual([
      0,
      `office@live  lambda  1        ${manifest.artifacts[0]?.sha256.slice(0, 16)}  platform  live`,
    ]);
    expect(stdout).toContain('Bring the lock (seq 1) to the SFTPGo machine');
    const { d, ...key } = await keyOf('live');
    expect(await entryOf('live')).toMatchObject({
      type: 'ipfilter',
      target: 'lambda',
      address: 'arn:aws:lambda:eu-central-1:123456789012:function:net-live-office',
      keys: [key],
      accepts: [
        {
          version: '1',
          files: { 'office.lambda.zip': manifest.artifacts[0]?.sha256 },
          config: {
            handler: 'index.handler',
            runtime: 'nodejs24.x',
            'environment.PLUGIN_FUNCTION': 'office@live',
          },
        },
      ],
    });
    expect(await live('live')).toBe('1');
    expect(await everything()).not.toContain(d);
  });

  test('the same again is the same version, and no new lock', async () => {
    const { code, stdout } = await project.run(['deploy', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ seq: 1, written: false, waiting: [] }),
    ]);
    expect(await versions('live')).toEqual(['$LATEST', '1']);
  });

  // which number is the newest is moto's matter: its CloudFormation publishes a version before it has the new code
  test('other code waits in the lock beside the old, --resume shifts, rollback goes back', async () => {
    const manifest = await project.build('closed');
    const second = await project.run(['deploy']);
    expect(second.stdout).toContain('npx sftpgo-plugin-serverless deploy --resume office');
    const [old, next = ''] = (await accepted('live')) ?? [];
    expect([second.code, old, await live('live')]).toEqual([0, '1', '1']);
    const { CodeSha256 } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: nameOf('live'), Qualifier: next }),
    );
    expect(CodeSha256).toBe(codeSha256Of(manifest.artifacts[0]?.sha256 ?? ''));
    const resumed = await project.run(['deploy', '--resume']);
    expect([resumed.code, await accepted('live'), await live('live')]).toEqual([0, [next], next]);
    const back = await project.run(['rollback', 'office', '--json']);
    expect(JSON.parse(back.stdout)).toMatchObject({ seq: 4, waiting: ['office@live'] });
    expect([await accepted('live'), await live('live')]).toEqual([[next, '1'], next]);
    expect((await project.run(['deploy', '--resume'])).code).toBe(0);
    expect([await accepted('live'), await live('live')]).toEqual([['1'], '1']);
    expect((await readdir(at('locks'))).sort()).toEqual(['1.json', '2.json', '3.json', '4.json', '5.json']);
  });

  test('a changed setting is a new version too, also one that is only speed', async () => {
    await project.build();
    await writeFile(at('serverless.yml'), officeService.replace('memorySize: 256', 'memorySize: 512'));
    const { code } = await project.run(['deploy']);
    await writeFile(at('serverless.yml'), officeService);
    const [old, next = ''] = (await accepted('live')) ?? [];
    expect([code, old]).toEqual([0, '1']);
    const { MemorySize } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: nameOf('live'), Qualifier: next }),
    );
    expect(MemorySize).toBe(512);
  });

  test.each([
    ['after the key was made', 'kill-key', () => /made its key/],
    ['when CloudFormation has planned the stack', 'kill-plan', () => watched.done(/Action=CreateChangeSet/)],
    // the first one makes the bucket
    ['while osls deploys', 'kill-osls', () => watched.done(/Action=ExecuteChangeSet/, 2)],
    ['after the read-back', 'kill-read', () => /was read back/],
    ['after the lock was sealed', 'kill-lock', () => /sealed with seq/],
  ])('killed %s: the next run completes it', { timeout: longMs }, async (_, stage, killAt) => {
    await project.build();
    const killed = await project.run(['deploy', '--stage', stage], {
      killAt: killAt(),
      env: { AWS_ENDPOINT_URL: watched.url },
    });
    expect(killed.code).toBe(137);
    const key = await keyOf(stage);
    const again = await project.run(['deploy', '--stage', stage]);
    expect(again).toMatchObject({ code: 0 });
    const { x } = await keyOf(stage);
    expect(x).toBe(key.x);
    expect([await accepted(stage), await live(stage)]).toEqual([['1'], '1']);
    expect((await entryOf(stage))?.keys).toEqual([expect.objectContaining({ x })]);
  });

  test('deploy --resume and rollback, killed when AWS has done something, or after the lock: the next run completes them', {
    timeout: longMs,
  }, async () => {
    const stage = ['--stage', 'kill-lock'];
    const env = { AWS_ENDPOINT_URL: watched.url };
    const killed = async (args: readonly string[], killAt: Promise<void>) =>
      expect((await project.run([...args, ...stage], { killAt, env })).code).toBe(137);
    /** The lock is the last thing that is written: the command may have ended before it is killed. */
    const killedAfterLock = async (...args: readonly string[]) =>
      expect([0, 137]).toContain(
        (await project.run([...args, ...stage], { killAt: /sealed with seq/, env })).code,
      );
    const completed = async (...args: string[]) =>
      expect(await project.run([...args, ...stage])).toMatchObject({ code: 0 });
    await project.build('closed');
    await completed('deploy');
    const [, next = ''] = (await accepted('kill-lock')) ?? [];
    await killed(['deploy', '--resume'], watched.done(/^PUT .*\/aliases\/live/));
    expect([await accepted('kill-lock'), await live('kill-lock')]).toEqual([['1', next], next]);
    await killedAfterLock('deploy', '--resume');
    await completed('deploy', '--resume');
    expect(await accepted('kill-lock')).toEqual([next]);

    await killed(['rollback'], watched.done(/^GET .*\/configuration\?Qualifier=1/));
    expect(await accepted('kill-lock')).toEqual([next]);
    await killedAfterLock('rollback');
    await completed('rollback');
    expect(await accepted('kill-lock')).toEqual([next, '1']);
    await completed('deploy', '--resume');
    expect([await accepted('kill-lock'), await live('kill-lock')]).toEqual([['1'], '1']);
  });

  test('one byte of the zip changed after the build: refused, and nothing is asked of AWS', async () => {
    await project.build('changed');
    const zip = await readFile(at('out/office.lambda.zip'));
    zip[100] = (zip[100] ?? 0) ^ 1;
    await writeFile(at('out/office.lambda.zip'), zip);
    const { code, stderr } = await project.run(['deploy'], {
      env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not what `build` made of office')]);
    await project.build();
  });

  test('serverless.yml names another zip than the build: refused before a key is made', async () => {
    await writeFile(at('other.zip'), await readFile(at('out/office.lambda.zip')));
    await project.build('again');
    await writeFile(at('serverless.yml'), officeService.replace('out/office.lambda.zip', 'other.zip'));
    const { code, stderr } = await project.run(['deploy', '--stage', 'other']);
    await writeFile(at('serverless.yml'), officeService);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('package.artifact is another file than the build'),
    ]);
    await expect(keyOf('other')).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('two functions with one key: refused before the stack is deployed', { timeout: longMs }, async () => {
    await project.build();
    const office = / {2}office:\n {4}handler[\s\S]*?\/office\n/.exec(officeService)?.[0] ?? '';
    const other = office
      .replace('  office:', '  other:')
      .replace('PLUGIN_FUNCTION: office@', 'PLUGIN_FUNCTION: other@');
    await writeFile(at('serverless.yml'), officeService.replace(office, office + other));
    const { code, stderr } = await project.run(['deploy', '--stage', 'twice']);
    await writeFile(at('serverless.yml'), officeService);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('net-twice-office and net-twice-other have one'),
    ]);
    await expect(keyOf('twice')).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('a key that was replaced behind the back is not taken over silently', {
    timeout: longMs,
  }, async () => {
    await project.build();
    await project.run(['deploy', '--stage', 'swap']);
    const Name = '/sftpgo/swap/office';
    const before = (await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter?.Value;
    const put = async (Value = '') =>
      await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
    await put(JSON.stringify(newKey()));
    const { code, stderr } = await project.run(['deploy', '--stage', 'swap']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('error DRIFT: /sftpgo/swap/office holds another key'),
    ]);
    await put(before);
    expect((await project.run(['deploy', '--stage', 'swap'])).code).toBe(0);
  });

  test('a key that is lost: nothing is changed', async () => {
    await project.build();
    await project.run(['deploy', '--stage', 'lost']);
    await ssm.send(new DeleteParameterCommand({ Name: '/sftpgo/lost/office' }));
    for (const args of [['deploy'], ['deploy', '--dry-run']]) {
      const { code, stderr } = await project.run([...args, '--stage', 'lost']);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining('error DRIFT: /sftpgo/lost/office is not there'),
      ]);
      expect(stderr).toContain('`lock remove office@lost`');
    }
    await expect(keyOf('lost')).rejects.toMatchObject({ name: 'ParameterNotFound' });
  });

  test('another parameter gives the function another key, and --resume takes the old one out of the lock', async () => {
    const [before] = (await entryOf('lost'))?.keys ?? [];
    await writeFile(at('serverless.yml'), officeService.replace('/office\n', '/office-2\n'));
    expect((await project.run(['deploy', '--stage', 'lost'])).code).toBe(0);
    await writeFile(at('serverless.yml'), officeService);
    const waiting = await entryOf('lost');
    expect([waiting?.accepts.length, waiting?.keys.length, waiting?.keys[0]]).toEqual([2, 2, before]);
    expect((await project.run(['deploy', '--resume', '--stage', 'lost'])).code).toBe(0);
    const { d: _, ...key } = await keyOf('lost', 'office-2');
    expect((await entryOf('lost'))?.keys).toEqual([key]);
  });

  test('a function that was taken out of the lock starts anew, with a new key where the old one was deleted', async () => {
    await project.build();
    await project.run(['deploy', '--stage', 'anew']);
    const { x } = await keyOf('anew');
    await ssm.send(new DeleteParameterCommand({ Name: '/sftpgo/anew/office' }));
    const files = { lockFile: at('bundles.lock.json'), signerFile: at('lock-signer.key.json') };
    await writeLock(files, (functions) => changeFunction(functions, 'office@anew', undefined));
    expect((await project.run(['deploy', '--stage', 'anew'])).code).toBe(0);
    const [key, ...others] = (await entryOf('anew'))?.keys ?? [];
    expect([key?.x === x, key?.x, others]).toEqual([false, (await keyOf('anew')).x, []]);
  });

  test('moved to another region it is another function: with a key there, and nothing of the one before', async () => {
    await project.build();
    await project.run(['deploy', '--stage', 'moved']);
    const before = await keyOf('moved');
    await writeFile(at('serverless.yml'), officeService.replace('region: eu-central-1', 'region: eu-west-1'));
    const { code, stdout, stderr } = await project.run(['deploy', '--stage', 'moved', '--json']);
    await writeFile(at('serverless.yml'), officeService);
    expect([code, stderr]).toEqual([0, expect.stringContaining('made its key')]);
    expect(JSON.parse(stdout)).toMatchObject({ waiting: [], functions: [{ state: 'live' }] });
    const { address, accepts, keys } = (await entryOf('moved')) ?? {};
    expect([address, accepts?.length, keys?.length]).toEqual([
      'arn:aws:lambda:eu-west-1:123456789012:function:net-moved-office',
      1,
      1,
    ]);
    expect(keys?.[0]?.x).not.toBe(before.x);
    expect((await keyOf('moved')).x).toBe(before.x);
  });

  test('settings that were changed behind the back do not get into the lock', async () => {
    const FunctionName = nameOf('swap');
    const Environment = { Variables: { NODE_OPTIONS: '-r /tmp/x' } };
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment }));
    await lambda.send(new PublishVersionCommand({ FunctionName }));
    // moto's CloudFormation sets everything anew; AWS's would leave the variable, and the read-back refuse it
    expect((await project.run(['deploy', '--stage', 'swap'])).code).toBe(0);
    expect(JSON.stringify(await entryOf('swap'))).not.toContain('NODE_OPTIONS');
  });

  test('what was deployed is what the adapter finds: verify is clean, and answers come with the evidence platform', async () => {
    await project.build();
    expect((await project.run(['deploy', '--stage', 'host'])).code).toBe(0);
    const host = await startLambdaHost({ runtime: 'node' });
    const { Environment } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: nameOf('host'), Qualifier: '1' }),
    );
    host.publish(nameOf('host'), {
      zip: await readFile(at('out/office.lambda.zip')),
      env: Environment?.Variables ?? {},
    });
    host.parameters.set('/sftpgo/host/office', JSON.stringify(await keyOf('host')));
    const split = await splitAws(moto.url, host.url);
    const aws = `{ credentialsFile: aws-credentials, endpoint: "${split.url}" }`;
    const { accessKeyId, secretAccessKey } = host.credentials;
    const secrets = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    await writeFile(at('aws-credentials'), `[default]\n${secrets}`, { mode: 0o600 });
    await writePrivateKey(at('adapter.key.json'), project.adapterKey);
    await writeFile(
      at('host.yaml'),
      `identity: adapter.key.json\nlock: { file: bundles.lock.json }\ntrust: { file: lock-signer.jwks.json }\naws: ${aws}\nipfilter: { use: office@host }\n`,
    );
    try {
      const verified = await project.run(['verify', '--config', 'host.yaml', '--json']);
      const rows = verified.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(rows.filter(({ ok }) => !ok)).toEqual([]);
      expect([verified.code, rows.map(({ field }) => field)]).toEqual([
        0,
        expect.arrayContaining(['code sha256', 'role']),
      ]);
      const call = [
        'call',
        'ipfilter',
        'CheckIP',
        'ip=203.0.113.7',
        'protocol=SSH',
        '--json',
        '--config',
        'host.yaml',
      ];
      const called = await project.run(call);
      expect([called.code, called.stdout]).toEqual([0, expect.stringContaining('"platform"')]);
    } finally {
      split.close();
      await host.close();
    }
  });

  test.each([
    ['cut short', (text: string) => text.slice(0, -100)],
    ['of another format', () => '{"format":2}'],
  ])('a lock that is %s: refused, and AWS is not asked', async (_, broken) => {
    const text = await readFile(at('bundles.lock.json'), 'utf8');
    await writeFile(at('bundles.lock.json'), broken(text));
    const { code, stderr } = await project.run(['deploy']);
    await writeFile(at('bundles.lock.json'), text);
    expect([code, stderr]).toEqual([1, expect.stringContaining('error LOCK_INVALID')]);
    expect(stderr).not.toContain('publishing');
  });

  describe('an AWS that does not do it', () => {
    let server: Server;
    let answer: { status: number; type: string } | undefined;
    let url: string;
    beforeAll(async () => {
      server = createServer((request, response) => {
        request.resume();
        if (answer === undefined) return;
        response.writeHead(answer.status, {
          'content-type': 'application/x-amz-json-1.1',
          'x-amzn-errortype': answer.type,
        });
        response.end(JSON.stringify({ __type: answer.type, message: answer.type }));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    test.each([
      ['forbids', { status: 400, type: 'AccessDeniedException' }, 'AWS forbids it in eu-central-1'],
      ['does not know the token', { status: 400, type: 'UnrecognizedClientException' }, 'AWS forbids it'],
      ['throttles', { status: 400, type: 'ThrottlingException' }, 'AWS throttles in eu-central-1'],
      ['does not answer', undefined, 'AWS cannot be reached in eu-central-1'],
    ])('%s: one clear error, and exit 1', async (name, given, message) => {
      answer = given;
      const stage = `bad-${name.replaceAll(' ', '-')}`;
      const before = (await lockNow())?.seq;
      const env = { AWS_ENDPOINT_URL: url, AWS_MAX_ATTEMPTS: '1' };
      const { code, stderr } = await project.run(['deploy', '--stage', stage], { env });
      expect([code, stderr]).toEqual([1, expect.stringContaining(`error UNREACHABLE: ${message}`)]);
      expect((await lockNow())?.seq).toBe(before);
    });

    test('once AWS does it, the same command completes', async () => {
      expect((await project.run(['deploy', '--stage', 'bad-forbids'])).code).toBe(0);
      expect(await accepted('bad-forbids')).toEqual(['1']);
    });
  });
});

/** One AWS of two: calls of functions go to the Lambda host, which runs the zips, everything else to moto. */
async function splitAws(moto: string, host: string): Promise<{ url: string; close(): void }> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const to = incoming.url?.includes('/invocations') ? host : moto;
    const { host: _, connection: __, 'content-length': ___, ...headers } = incoming.headers;
    const answer = await fetch(`${to}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
