import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { metadataTable } from '../../functions/metadata/tables.ts';
import { eventsTable } from '../../functions/notifier/tables.ts';
import { type Deployment, prepareDeployment } from '../runtimes/deployment.ts';
import { startKmsServer } from '../runtimes/kms-server.ts';
import { type LambdaDeployment, prepareLambdaDeployment } from '../runtimes/lambda-deployment.ts';
import { startLambdaHost } from '../runtimes/lambda-host.ts';
import { startDynamo } from '../support/dynamo.ts';
import { startWireProxy, type WireProxy } from './wire-proxy.ts';

const root = join(import.meta.dirname, '../..');
const example = (type: string) => join(root, `functions/${type}/example.ts`);

/** Where the demo leaves the record of the wire. */
export const outputFolder = join(root, '.demo');

/** Everything the demo calls, on this machine. */
export interface Stage {
  /** auth, kms, notifier, metadata and eventsearcher on Lambda, behind a recording proxy. */
  readonly lambda: LambdaDeployment;
  readonly wire: WireProxy;
  /** What runs the zips. */
  readonly lambdaRuntime: string;
  /** ipfilter for workerd. */
  readonly office: Deployment;
  close(): Promise<void>;
}

/** A key in the KMS server under the alias that the example of functions/kms names. */
async function createKmsKey(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };
  const admin = new KMSClient({ region: 'eu-central-1', endpoint, credentials });
  const { KeyMetadata } = await admin.send(new CreateKeyCommand({}));
  await admin.send(new CreateAliasCommand({ AliasName: 'alias/sftpgo', TargetKeyId: KeyMetadata?.KeyId }));
  admin.destroy();
}

/** Starts DynamoDB, KMS and Lambda, builds the zips and deploys them; `say` hears what takes time. */
export async function setStage(say: (text: string) => void): Promise<Stage> {
  await rm(outputFolder, { recursive: true, force: true });
  await mkdir(outputFolder, { recursive: true });
  say('starting DynamoDB (dynalite), a KMS server with real AES-GCM, and a Lambda service');
  const [dynamo, kms, host] = await Promise.all([startDynamo(), startKmsServer(), startLambdaHost({ say })]);
  await Promise.all([dynamo.create(eventsTable), dynamo.create(metadataTable), createKmsKey(kms.url)]);
  const wire = await startWireProxy({ upstream: host.url, logFile: join(outputFolder, 'wire-lambda.jsonl') });
  say('building the zips, making keys, publishing versions, writing the lock');
  const dynamoEnv = { AWS_ENDPOINT_URL_DYNAMODB: dynamo.url };
  const lambda = await prepareLambdaDeployment(
    [
      {
        type: 'auth',
        name: 'team',
        entry: join(import.meta.dirname, 'functions/team.ts'),
        section: 'ceiling: { homes: [/srv/sftp], permissions: [list, download, upload], providers: [local] }',
      },
      { type: 'kms', name: 'vault', entry: example('kms'), env: { AWS_ENDPOINT_URL_KMS: kms.url } },
      {
        type: 'notifier',
        name: 'events',
        entry: example('notifier'),
        env: dynamoEnv,
        section: 'instance: node1',
      },
      { type: 'eventsearcher', name: 'search', entry: example('eventsearcher'), env: dynamoEnv },
      { type: 'metadata', name: 'mtimes', entry: example('metadata'), env: dynamoEnv },
    ],
    { host, endpoint: wire.url },
  );
  say('building the ipfilter function for workerd');
  const office = await prepareDeployment();
  return {
    lambda,
    wire,
    lambdaRuntime: host.runtime === 'node' ? 'node (aws-lambda-ric could not be compiled)' : host.runtime,
    office,
    async close() {
      await Promise.all([office.close(), lambda.close()]);
      await Promise.all([host.close(), wire.close(), dynamo.close(), kms.close()]);
    },
  };
}
