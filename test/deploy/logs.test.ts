import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lambdaLogs } from '../../infra/logs/lambda.ts';
import { showLine } from '../../infra/logs/line.ts';
import { mergedLines } from '../../infra/logs/merge.ts';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';
const root = join(import.meta.dirname, '../..');
const region = 'eu-central-1';

describe.skipIf('skipped' in found)(`logs of Lambda functions, by CloudWatch Logs on moto${skipped}`, () => {
  let moto: MotoServer;
  let folder: string;
  const saved = { ...process.env };
  const startMs = Date.now() - 60_000;
  const logGroupName = '/aws/lambda/net-live-office';

  beforeAll(async () => {
    moto = await startMoto('program' in found ? found.program : '');
    folder = await mkdtemp(join(tmpdir(), 'logs-'));
    await mkdir(join(folder, 'node_modules/@aws-sdk'), { recursive: true });
    await writeFile(join(folder, 'package.json'), '{}');
    const sdk = 'node_modules/@aws-sdk/client-cloudwatch-logs';
    await symlink(join(root, sdk), join(folder, sdk));
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    const client = new CloudWatchLogsClient({ region });
    const logStreamName = '2026/11/22/[1]0';
    await client.send(new CreateLogGroupCommand({ logGroupName }));
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const messages = [
      'START RequestId: 1 Version: 1\n',
      '{"level":"WARN","message":"slow"}\n',
      'END RequestId: 1\n',
    ];
    const logEvents = messages.map((message, index) => ({ timestamp: startMs + index, message }));
    await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    client.destroy();
  });
  afterAll(async () => {
    process.env = saved;
    await rm(folder, { recursive: true });
    await moto?.close();
  });

  const shown = async (name: string, fromMs: number) => {
    const lines: string[] = [];
    const source = lambdaLogs('office@live', { name, region }, folder);
    for await (const batch of mergedLines([source], { fromMs })) lines.push(...batch.map(showLine));
    return lines;
  };

  test('what the function wrote, without the frame of each call', async () => {
    expect(await shown('net-live-office', startMs)).toEqual([
      `${new Date(startMs + 1).toISOString()} office@live {"level":"WARN","message":"slow"}`,
    ]);
  });

  test('nothing of before, and nothing of a function that never ran', async () => {
    expect(await shown('net-live-office', Date.now())).toEqual([]);
    expect(await shown('net-live-other', startMs)).toEqual([]);
  });

  test('a region that does not answer, and a project without the SDK', async () => {
    process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:1';
    await expect(shown('net-live-office', startMs)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    process.env['AWS_ENDPOINT_URL'] = moto.url;
    expect(() => lambdaLogs('office@live', { name: 'x', region }, '/')).toThrow(
      expect.objectContaining({
        code: 'TOOL_MISSING',
        remedy: expect.stringContaining('npm i -D @aws-sdk/client-cloudwatch-logs'),
      }),
    );
  });
});
