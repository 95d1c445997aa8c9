import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type Architecture,
  CreateFunctionCommand,
  type CreateFunctionRequest,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  type Runtime,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Role } from '../../adapter/role/role.ts';
import type { Finding } from '../../adapter/shapes.ts';
import { openKnownVersions } from '../../adapter/targets/known-versions.ts';
import { lambdaConfig } from '../../adapter/targets/lambda/configuration.ts';
import { openLambda } from '../../adapter/targets/lambda/index.ts';
import { signPost } from '../../functions/kit/sigv4.ts';
import { zipOf } from '../../infra/build/zip.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import type { AcceptedVersion, LockedFunction } from '../../proto/lock/schema.ts';
import { callOf, recordingLog } from '../support/invoke.ts';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';
import { codeOf } from '../support/policies.ts';
import { exampleEntry } from './deployment.ts';
import { type LambdaDeployment, prepareLambdaDeployment } from './lambda-deployment.ts';
import { type LambdaHost, startLambdaHost } from './lambda-host.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';

const adapterMain = join(import.meta.dirname, '../../adapter/cli/main.ts');

/** What stands between the adapter and AWS's control plane. */
type Trouble = 'cut' | 'forbidden' | 'throttled' | undefined;
const troubles: Readonly<Record<string, readonly [status: number, type: string]>> = {
  forbidden: [403, 'AccessDeniedException'],
  throttled: [429, 'TooManyRequestsException'],
};

/**
 * moto is the control plane: zips, versions and settings are really there. The Lambda host runs the functions. One
 * address for both, as AWS has it.
 */
describe.skipIf('skipped' in found)(`what is deployed is watched${skipped}`, () => {
  let host: LambdaHost;
  let moto: MotoServer;
  let client: LambdaClient;
  let deployment: LambdaDeployment;
  let trouble: Trouble;
  let layer: string;
  let zip: Uint8Array;
  const front = createServer((incoming, outgoing) => pass(incoming, outgoing));
  const closing: (() => Promise<void>)[] = [];

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const invocation = incoming.url?.endsWith('/invocations?Qualifier=1');
    const [status, type] = troubles[trouble ?? ''] ?? [];
    if (invocation !== true && trouble === 'cut') incoming.socket.destroy();
    else if (invocation !== true && status !== undefined) {
      outgoing.writeHead(status, { 'x-amzn-errortype': type }).end('{}');
    } else {
      const { method, headers } = incoming;
      const to = new URL(incoming.url ?? '/', invocation ? host.url : moto.url);
      const onward = request(to, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    }
  }

  beforeAll(async () => {
    [host, moto] = await Promise.all([
      startLambdaHost({ runtime: 'node' }),
      startMoto('program' in found ? found.program : ''),
    ]);
    await once(front.listen(0, '127.0.0.1'), 'listening');
    const { region, credentials } = host;
    client = new LambdaClient({ region, endpoint: moto.url, credentials });
    const endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    const office = { type: 'ipfilter', entry: exampleEntry, name: 'office' } as const;
    deployment = await prepareLambdaDeployment([{ ...office, section: 'cache: { entries: 0 }' }], {
      host,
      endpoint,
    });
    const config = await readFile(deployment.configPath, 'utf8');
    await writeFile(deployment.configPath, config.replace('aws: {', 'aws: { watch: 1s,'));
    zip = await readFile(deployment.deployed('office').zip);
    for (const name of ['office', 'admin']) await createIamRole(name);
    const published = await client.send(
      new PublishLayerVersionCommand({
        LayerName: 'evil',
        Content: { ZipFile: zipOf('evil.mjs', Buffer.from('1')) },
      }),
    );
    layer = published.LayerVersionArn ?? '';
    await create();
    await deployment.relock('office', { accepts: [await accepted()] });
  });
  beforeEach(async () => {
    trouble = undefined;
    await rm(join(deployment.folder, 'state/ipfilter.known-versions.json'), { force: true });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await recreate();
  });
  afterAll(async () => {
    front.closeAllConnections();
    front.close();
    await deployment?.close();
    await host?.close();
    await moto?.close();
  });

  async function createIamRole(name: string): Promise<void> {
    const body = new URLSearchParams({
      Action: 'CreateRole',
      Version: '2010-05-08',
      RoleName: name,
      AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { region, credentials } = host;
    const to = { endpoint: new URL(moto.url), region, service: 'iam', headers, body };
    const { host: _, ...signed } = signPost(to, credentials, new Date());
    await fetch(moto.url, { method: 'POST', headers: signed, body });
  }

  const roleArn = (name: string) => `arn:aws:iam::123456789012:role/${name}`;

  /** Creates the function and publishes version 1 of it. */
  async function create(changed: Partial<CreateFunctionRequest> = {}): Promise<void> {
    await client.send(
      new CreateFunctionCommand({
        FunctionName: 'office',
        Runtime: 'nodejs22.x' as Runtime,
        Role: roleArn('office'),
        Handler: 'index.handler',
        Architectures: ['arm64' as Architecture],
        Code: { ZipFile: zip },
        Environment: { Variables: deployment.deployed('office').env },
        Publish: true,
        ...changed,
      }),
    );
  }

  /** Deletes it and creates it again: its versions count from 1 again. */
  async function recreate(changed: Partial<CreateFunctionRequest> = {}): Promise<void> {
    await client.send(new DeleteFunctionCommand({ FunctionName: 'office' }));
    await create(changed);
  }

  /** Version 1 as `deploy` locks it: read back, not written from memory. */
  async function accepted(): Promise<AcceptedVersion> {
    const read = new GetFunctionConfigurationCommand({ FunctionName: 'office', Qualifier: '1' });
    const [before] = deployment.deployed('office').locked.accepts;
    if (before === undefined) throw new Error('nothing was locked');
    return { ...before, config: lambdaConfig(await client.send(read)) };
  }

  /** The check of a freshly started adapter, out of the lock in force. */
  async function freshPin(accepts: LockedFunction['accepts']): Promise<string> {
    const { locked, functionName } = deployment.deployed('office');
    const log = recordingLog();
    const { target, verifier } = openLambda(
      functionName,
      { ...locked, accepts },
      {
        aws: {
          endpoint: moto.url,
          credentialsFile: join(deployment.folder, 'aws-credentials'),
          profile: 'sftpgo',
        },
        probe: async () => ({}),
        known: openKnownVersions(undefined, log),
        log,
        report() {},
      },
    );
    closing.push(() => target.close());
    return await verifier.pin(AbortSignal.timeout(5000)).catch(({ message }) => String(message));
  }

  const variables = (more: Record<string, string>) => ({
    Environment: { Variables: { ...deployment.deployed('office').env, ...more } },
  });

  test('what was deployed is what the lock says', async () => {
    expect(await freshPin([await accepted()])).toBe('1');
  });

  test.each<[string, () => Partial<CreateFunctionRequest>]>([
    ['the code', () => ({ Code: { ZipFile: zipOf('index.mjs', Buffer.from('other')) } })],
    ['handler other.handler', () => ({ Handler: 'other.handler' })],
    ['runtime nodejs20.x', () => ({ Runtime: 'nodejs20.x' as Runtime })],
    ['architecture x86_64', () => ({ Architectures: ['x86_64' as Architecture] })],
    [`role ${roleArn('admin')}`, () => ({ Role: roleArn('admin') })],
    ['layers arn:aws:lambda', () => ({ Layers: [layer] })],
    ['environment.PLUGIN_FUNCTION x@live', () => variables({ PLUGIN_FUNCTION: 'x@live' })],
    ['environment.MORE 1', () => variables({ MORE: '1' })],
    ['environment.NODE_OPTIONS -r /opt/x', () => variables({ NODE_OPTIONS: '-r /opt/x' })],
  ])('created again with %s: refused by name', async (name, changed) => {
    const before = await accepted();
    await recreate(changed());
    const message = await freshPin([before]);
    expect(message).toContain(`version 1 of office@live has ${name}`);
    expect(message).toContain('(the lock)');
  });

  test('settings updated and published as the next version: refused by name if a lock names that one', async () => {
    const before = await accepted();
    const next = { Handler: 'other.handler', FunctionName: 'office' };
    await client.send(new UpdateFunctionConfigurationCommand(next));
    const { Version = '' } = await client.send(new PublishVersionCommand({ FunctionName: 'office' }));
    expect(await freshPin([before])).toBe('1');
    expect(await freshPin([{ ...before, version: Version }])).toContain('has handler other.handler');
  });

  /** An adapter that serves; `ask` gives `answered` or the code of the error. */
  function start() {
    const log = recordingLog();
    const told: boolean[] = [];
    const { configPath } = deployment;
    const onServing = (serving: boolean) => told.push(serving);
    const role = new Role({ type: 'ipfilter', configPath, log, pollMs: 50, onServing });
    closing.push(() => role.close());
    role.start();
    const call = () => callOf(IPFilter.method.checkIP, { ip: '203.0.113.7', protocol: 'SSH' });
    const texts = (level: string) => log.lines.filter((line) => line.level === level).map(({ text }) => text);
    return { role, log, told, texts, ask: async () => await codeOf(role.handle(call())) };
  }
  const eventually = async (check: () => void | Promise<void>) =>
    await vi.waitFor(check, { timeout: 10_000, interval: 100 });

  test('drift under a running adapter is refused without a call, and mended without a restart', async () => {
    const { ask, told, texts } = start();
    expect(await ask()).toBe('answered');
    await recreate({ Role: roleArn('admin') });
    await eventually(() => expect(told).toEqual([true, false]));
    expect([await ask(), await ask()]).toEqual(['DRIFT', 'DRIFT']);
    expect(texts('error')).toEqual([
      expect.stringMatching(
        /^version 1 of office@live has role .*:role\/admin; expected role .*:role\/office \(the lock\)\. Somebody/,
      ),
    ]);
    await recreate();
    await eventually(() => expect(told).toEqual([true, false, true]));
    expect(await ask()).toBe('answered');
    expect(texts('info').at(-1)).toContain('the deployed code is the locked one again');
  });

  test('created again with the same code and settings: told, and served on', async () => {
    const { ask, texts, told } = start();
    expect(await ask()).toBe('answered');
    await recreate();
    await eventually(() =>
      expect(texts('warn')).toEqual([expect.stringContaining('is not the one that was verified before')]),
    );
    expect([await ask(), told]).toEqual(['answered', [true]]);
  });

  test.each<[Trouble, string]>([
    ['cut', 'the Lambda API cannot be reached'],
    ['forbidden', 'AWS forbids to look at the function (AccessDeniedException)'],
    ['throttled', 'AWS throttles the Lambda API (TooManyRequestsException)'],
  ])(
    'control plane %s: told, served on, also after a restart; nothing new is accepted',
    async (kind, text) => {
      const first = start();
      expect(await first.ask()).toBe('answered');
      trouble = kind;
      await eventually(() => expect(first.texts('warn')).toEqual([expect.stringContaining(text)]));
      expect([await first.ask(), first.told]).toEqual(['answered', [true]]);
      await first.role.close();
      const second = start();
      expect(await second.ask()).toBe('answered');
      expect(second.texts('warn')).toEqual([expect.stringContaining('what was verified before serves on')]);
      const now = await accepted();
      await deployment.relock('office', { accepts: [{ ...now, config: { ...now.config, role: 'other' } }] });
      await eventually(async () => expect(await second.ask()).toBe('UNREACHABLE'));
      await deployment.relock('office', { accepts: [now] });
      await eventually(async () => expect(await second.ask()).toBe('answered'));
      trouble = undefined;
      await eventually(() =>
        expect(second.texts('info')).toContainEqual(expect.stringContaining('answers again')),
      );
    },
  );

  test('verify: a row for each field, exit 1 on drift, and the field that differs by name', async () => {
    const verify = async () => {
      const args = [adapterMain, 'verify', '--json', '--config', deployment.configPath];
      const ran = await promisify(execFile)(process.execPath, args).catch((error) => error);
      const lines = String(ran.stdout).trim().split('\n');
      return { code: ran.code ?? 0, rows: lines.map((line): Finding => JSON.parse(line)) };
    };
    const good = await verify();
    expect([good.code, good.rows.filter(({ ok }) => !ok)]).toEqual([0, []]);
    expect(good.rows.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['code sha256', 'handler', 'role', 'layers', 'executed version']),
    );
    await recreate({ Handler: 'other.handler' });
    const bad = await verify();
    expect([bad.code, bad.rows.filter(({ ok }) => !ok)]).toEqual([
      1,
      [
        {
          function: 'office@live',
          target: 'lambda',
          version: '1',
          evidence: 'platform',
          field: 'handler',
          expected: 'index.handler',
          found: 'other.handler',
          ok: false,
        },
      ],
    ]);
  });

  test('drift is not forgotten by a restart while AWS does not answer', async () => {
    const first = start();
    expect(await first.ask()).toBe('answered');
    await recreate({ Handler: 'other.handler' });
    await eventually(() => expect(first.told).toEqual([true, false]));
    trouble = 'cut';
    await first.role.close();
    const second = start();
    expect(await second.ask()).toBe('UNREACHABLE');
    trouble = undefined;
    await eventually(async () => expect(await second.ask()).toBe('DRIFT'));
  });
});
