import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signPost } from '../../functions/kit/sigv4.ts';
import { readSsmParameter } from '../../functions/kit/ssm-parameter.ts';
import { zipOf } from '../../infra/build/zip.ts';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';
import { type LambdaHost, startLambdaHost } from './lambda-host.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';
const zip = zipOf('index.mjs', Buffer.from('export const handler = async () => 1;'));
const env = { PLUGIN_FUNCTION: 'office@live' };

/** What the Lambda host and moto both answer: were our host wrong about AWS, they would differ. */
describe.skipIf('skipped' in found)(`the Lambda host beside moto${skipped}`, () => {
  let host: LambdaHost;
  let moto: MotoServer;
  let clients: readonly LambdaClient[];

  beforeAll(async () => {
    [host, moto] = await Promise.all([
      startLambdaHost({ runtime: 'node' }),
      startMoto('program' in found ? found.program : ''),
    ]);
    const { region, credentials } = host;
    clients = [host.url, moto.url].map((endpoint) => new LambdaClient({ region, endpoint, credentials }));
    host.publish('office', { zip, env });
    host.parameters.set('/sftpgo/office', 'a key');
    await deployToMoto();
  });
  afterAll(async () => {
    await host?.close();
    await moto?.close();
  });

  /** A POST of one of AWS's older protocols, signed. */
  async function post(service: string, headers: Record<string, string>, body: string): Promise<void> {
    const endpoint = new URL(moto.url);
    const { credentials, region } = host;
    const signed = signPost({ endpoint, region, service, headers, body }, credentials, new Date());
    const { host: _, ...sent } = signed;
    const answer = await fetch(endpoint, { method: 'POST', headers: sent, body });
    if (!answer.ok) throw new Error(`${service}: ${await answer.text()}`);
  }

  async function deployToMoto(): Promise<void> {
    const role = new URLSearchParams({
      Action: 'CreateRole',
      Version: '2010-05-08',
      RoleName: 'function',
      AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
    });
    await post('iam', { 'content-type': 'application/x-www-form-urlencoded' }, role.toString());
    await post(
      'ssm',
      { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.PutParameter' },
      JSON.stringify({ Name: '/sftpgo/office', Type: 'SecureString', Value: 'a key' }),
    );
    const [, client] = clients;
    await client?.send(
      new CreateFunctionCommand({
        FunctionName: 'office',
        Runtime: 'nodejs22.x',
        Role: 'arn:aws:iam::123456789012:role/function',
        Handler: 'index.handler',
        Timeout: 15,
        Code: { ZipFile: zip },
        Environment: { Variables: env },
      }),
    );
    await client?.send(new PublishVersionCommand({ FunctionName: 'office' }));
  }

  /** What both say to one question, as one comparable text each. */
  async function ask(FunctionName: string, Qualifier?: string): Promise<object[]> {
    const question = new GetFunctionConfigurationCommand({
      FunctionName,
      ...(Qualifier ? { Qualifier } : {}),
    });
    return await Promise.all(
      clients.map((client) =>
        client.send(question).then(
          ({ CodeSha256, Version, Handler, Timeout, Environment, FunctionArn, PackageType, CodeSize }) => ({
            CodeSha256,
            Version,
            Handler,
            Timeout,
            Environment,
            PackageType,
            CodeSize,
            // moto spells the account of its own
            arn: FunctionArn?.replace(/:\d{12}:/, ':ACCOUNT:'),
          }),
          ({ name, $metadata }) => ({ name, status: $metadata.httpStatusCode }),
        ),
      ),
    );
  }

  test.each<[string, string, string | undefined]>([
    ['a version', 'office', '1'],
    ['$LATEST', 'office', '$LATEST'],
    ['no qualifier', 'office', undefined],
    ['an ARN', 'arn:aws:lambda:eu-central-1:123456789012:function:office', '1'],
    ['an unknown function', 'nobody', undefined],
    ['an unknown version', 'office', '9'],
    ['an unknown alias', 'office', 'live'],
  ])('GetFunctionConfiguration of %s', async (_, name, qualifier) => {
    const [ours, theirs] = await ask(name, qualifier);
    expect(ours).toEqual(theirs);
  });

  test.each(['/sftpgo/office', '/sftpgo/missing'])('GetParameter of %s, asked by the kit', async (name) => {
    const [ours, theirs] = await Promise.all(
      [host.url, moto.url].map((endpoint) =>
        readSsmParameter(name, {
          AWS_REGION: host.region,
          AWS_ACCESS_KEY_ID: host.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: host.credentials.secretAccessKey,
          AWS_ENDPOINT_URL_SSM: endpoint,
        }).catch(String),
      ),
    );
    expect(ours).toBe(theirs);
  });

  test('what both answer to GetParameter without decryption is not the key', async () => {
    const question = { Name: '/sftpgo/office' };
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.GetParameter',
    };
    const body = JSON.stringify(question);
    const answers = await Promise.all(
      [host.url, moto.url].map(async (url) => {
        const endpoint = new URL(url);
        const { region, credentials } = host;
        const { host: _, ...sent } = signPost(
          { endpoint, region, service: 'ssm', headers, body },
          credentials,
          new Date(),
        );
        const json: unknown = await (await fetch(endpoint, { method: 'POST', headers: sent, body })).json();
        return Object(json).Parameter;
      }),
    );
    for (const parameter of answers) {
      expect(parameter).toMatchObject({ Name: '/sftpgo/office', Type: 'SecureString', Version: 1 });
      expect(parameter.Value).not.toBe('a key');
    }
  });
});
