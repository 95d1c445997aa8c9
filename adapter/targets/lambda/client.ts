import type { LambdaClient } from '@aws-sdk/client-lambda';
import { markIdleEnds } from '../https/idle-connections.ts';
import { prepareEnvironment } from './environment.ts';
import type { AwsSettings } from './settings.ts';

/** SFTPGo has at most 250 calls of a type in flight; the SDK's own default is 50. */
const maxSockets = 256;
const connectionTimeoutMs = 3000;
const sessionName = 'sftpgo-plugin-serverless';

type Sdk = typeof import('./sdk.ts');

/** A client and the commands that go with it: the SDK is loaded once, at the first call. */
export interface Lambda {
  readonly client: LambdaClient;
  readonly sdk: Sdk;
}

/**
 * Loads the AWS SDK and makes a client for one region. Nothing is tried again here: the retry policy knows which
 * calls may run twice.
 */
export async function openLambdaClient(region: string, settings: AwsSettings): Promise<Lambda> {
  prepareEnvironment();
  const [sdk, http, https] = await Promise.all([
    import('./sdk.ts'),
    import('node:http'),
    import('node:https'),
  ]);
  const credentials = credentialsOf(sdk, region, settings);
  const kept = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' as const };
  const client = new sdk.LambdaClient({
    region,
    maxAttempts: 1,
    requestHandler: {
      httpAgent: markIdleEnds(new http.Agent(kept)),
      httpsAgent: markIdleEnds(new https.Agent(kept)),
      connectionTimeout: connectionTimeoutMs,
    },
    ...(credentials === undefined ? {} : { credentials }),
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
  });
  return { client, sdk };
}

/** undefined: the SDK's own search, which ends at the role of the machine. */
function credentialsOf(
  { fromIni, fromTemporaryCredentials }: Sdk,
  region: string,
  settings: AwsSettings,
): ReturnType<Sdk['fromIni']> | undefined {
  const { credentialsFile, profile, role, externalId, stsEndpoint } = settings;
  if (credentialsFile === undefined && profile === undefined && role === undefined) return undefined;
  const base =
    credentialsFile === undefined && profile === undefined
      ? undefined
      : fromIni({
          // the file may have changed since another client read it
          ignoreCache: true,
          ...(credentialsFile === undefined
            ? {}
            : { filepath: credentialsFile, configFilepath: credentialsFile }),
          ...(profile === undefined ? {} : { profile }),
        });
  if (role === undefined) return base;
  return fromTemporaryCredentials({
    params: {
      RoleArn: role,
      RoleSessionName: sessionName,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    },
    clientConfig: {
      region: settings.region ?? region,
      ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
    },
    ...(base === undefined ? {} : { masterCredentials: base }),
  });
}
