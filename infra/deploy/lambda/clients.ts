import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { loadTool } from '../tool.ts';
import { accountOfCaller } from './account.ts';

/** Several looks at the same time, each of them small; a region that does not answer is told within these. */
const connectionTimeoutMs = 5000;
const requestTimeoutMs = 10_000;

/** The SDK of the author's project, and clients for one region with the credentials that the SDK finds. */
export interface AwsClients {
  readonly region: string;
  readonly lambda: LambdaClient;
  readonly ssm: SSMClient;
  readonly lambdaSdk: typeof import('@aws-sdk/client-lambda');
  readonly ssmSdk: typeof import('@aws-sdk/client-ssm');
  /** Whose credentials these are. Throws UNREACHABLE. */
  readonly account: () => Promise<string>;
}

/**
 * Opens clients for a region. The SDK tries again by itself (AWS_MAX_ATTEMPTS, 3 times unless set): what is asked
 * here changes nothing, or is the same when done twice.
 *
 * @throws PluginError TOOL_MISSING when the project lacks the SDK
 */
export function openAwsClients(folder: string, region: string): AwsClients {
  const lambdaSdk = loadTool<AwsClients['lambdaSdk']>(folder, '@aws-sdk/client-lambda');
  const ssmSdk = loadTool<AwsClients['ssmSdk']>(folder, '@aws-sdk/client-ssm');
  const settings = {
    region,
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  };
  const lambda = new lambdaSdk.LambdaClient(settings);
  const ssm = new ssmSdk.SSMClient(settings);
  const account = async () => await accountOfCaller(folder, settings);
  return { region, lambda, ssm, lambdaSdk, ssmSdk, account };
}
