import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';
import { type AuthorProject, openAuthorProject, partOfPage, testBlocks } from './author-project.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';

/** The commands of the page, against moto in the place of an account. */
describe.skipIf('skipped' in found)(`docs/deploy.md on AWS${skipped}`, () => {
  let moto: MotoServer;
  let project: AuthorProject;

  beforeAll(async () => {
    moto = await startMoto('program' in found ? found.program : '');
    project = await openAuthorProject([
      `export AWS_ENDPOINT_URL=${moto.url} AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=test`,
    ]);
  });
  afterAll(async () => {
    await project?.close();
    await moto?.close();
  });

  testBlocks(partOfPage('docs/deploy.md', 'AWS Lambda'), () => project);

  test('the function was called meanwhile, and wrote a line', async () => {
    const region = 'eu-central-1';
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'test' };
    const client = new CloudWatchLogsClient({ region, endpoint: moto.url, credentials });
    // the group is the stack's: logRetentionInDays
    const stream = { logGroupName: '/aws/lambda/sftpgo-live-office', logStreamName: '2026/11/22/[1]0' };
    await client.send(new CreateLogStreamCommand(stream));
    const logEvents = [{ timestamp: Date.now(), message: '{"level":"WARN","message":"refused"}\n' }];
    await client.send(new PutLogEventsCommand({ ...stream, logEvents }));
    client.destroy();
  });
  testBlocks(partOfPage('docs/deploy.md', 'Logs'), () => project, { moreThan: 1 });

  test('in the end the first version is the only one again, five locks later', async () => {
    const { seq, functions } = await project.lock();
    expect([seq, functions['office@live']?.accepts.map(({ version }) => version)]).toEqual([5, ['1']]);
  });
});
