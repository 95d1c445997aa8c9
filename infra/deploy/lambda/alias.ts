import type { AliasConfiguration } from '@aws-sdk/client-lambda';
import { PluginError } from '../../../proto/error.ts';
import type { Report, Traffic } from '../cloud.ts';
import type { AwsClients } from './clients.ts';
import { awsErrorName, awsFailure } from './failure.ts';

/** For callers other than the adapter, which calls versions by their number. */
const alias = 'live';

/** Which versions the alias gives calls to; empty without one. Throws UNREACHABLE. */
export async function aliasTraffic(aws: AwsClients, functionName: string): Promise<readonly Traffic[]> {
  return trafficOf(await readAlias(aws, functionName));
}

/**
 * Points the alias to a version, or gives the version a share of its calls. Throws UNREACHABLE; INPUT_INVALID when
 * there is nothing that could have the rest.
 */
export async function moveAlias(
  aws: AwsClients,
  functionName: string,
  version: string,
  { percent = 100, report }: { readonly percent?: number | undefined; readonly report: Report },
): Promise<void> {
  const found = await readAlias(aws, functionName);
  const now = trafficOf(found);
  if (now.some((one) => one.version === version && one.percent === percent)) return;
  const main = percent === 100 ? version : found?.FunctionVersion;
  if (main === undefined || (main === version && percent !== 100)) {
    throw new PluginError('INPUT_INVALID', {
      happened: `--percent ${percent}: no other version of ${functionName} has calls`,
      expected: 'an older version that keeps the rest',
      remedy: 'Run it without --percent.',
    });
  }
  const weights = percent === 100 ? {} : { [version]: percent / 100 };
  const settings = {
    FunctionName: functionName,
    Name: alias,
    FunctionVersion: main,
    RoutingConfig: { AdditionalVersionWeights: weights },
  };
  const { lambda, lambdaSdk, region } = aws;
  try {
    if (found === undefined) await lambda.send(new lambdaSdk.CreateAliasCommand(settings));
    else await lambda.send(new lambdaSdk.UpdateAliasCommand({ ...settings, RevisionId: found.RevisionId }));
  } catch (error) {
    throw awsFailure(error, `lambda:CreateAlias and lambda:UpdateAlias on ${functionName}`, region);
  }
  report(
    `${functionName}: alias ${alias} is version ${version}${percent === 100 ? '' : ` for ${percent} %`}`,
  );
}

async function readAlias(
  { lambda, lambdaSdk, region }: AwsClients,
  functionName: string,
): Promise<AliasConfiguration | undefined> {
  try {
    return await lambda.send(new lambdaSdk.GetAliasCommand({ FunctionName: functionName, Name: alias }));
  } catch (error) {
    if (awsErrorName(error) === 'ResourceNotFoundException') return undefined;
    throw awsFailure(error, `lambda:GetAlias on ${functionName}`, region);
  }
}

function trafficOf(found: AliasConfiguration | undefined): Traffic[] {
  if (found?.FunctionVersion === undefined) return [];
  const others = Object.entries(found.RoutingConfig?.AdditionalVersionWeights ?? {}).map(
    ([version, weight]): Traffic => ({ version, percent: Math.round(weight * 100) }),
  );
  const rest = others.reduce((sum, { percent }) => sum - percent, 100);
  return [{ version: found.FunctionVersion, percent: rest }, ...others];
}
