import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { type Compared, compareVersion } from '../../../adapter/targets/lambda/compare.ts';
import { lambdaConfig } from '../../../adapter/targets/lambda/configuration.ts';
import { PluginError } from '../../../proto/error.ts';
import type { AcceptedVersion } from '../../../proto/lock/schema.ts';
import type { AwsClients } from './clients.ts';
import { awsErrorName, awsFailure } from './failure.ts';
import type { PlannedFunction } from './template.ts';

/** Fields that AWS adds by itself: two versions with the same settings may differ in them. */
const ofAws: readonly string[] = ['configSha256', 'runtimeVersion'];

/**
 * What AWS says of a version, or of the function as it is being edited (`$LATEST`); undefined when it is not there.
 *
 * @throws PluginError UNREACHABLE
 */
export async function readConfiguration(
  { lambda, lambdaSdk, region }: AwsClients,
  functionName: string,
  version = '$LATEST',
): Promise<FunctionConfiguration | undefined> {
  try {
    const found = await lambda.send(
      new lambdaSdk.GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: version }),
    );
    if (found.Version === version) return found;
  } catch (error) {
    if (awsErrorName(error) === 'ResourceNotFoundException') return undefined;
    throw awsFailure(error, `lambda:GetFunctionConfiguration on ${functionName}`, region);
  }
  throw drift(
    `${functionName} answered with another version than ${version}`,
    'the version that was asked for',
  );
}

/**
 * The published version with the code and the settings that were deployed: the newest that has them, or a new one.
 * osls publishes versions by itself; one is missing where that was interrupted.
 *
 * Returns AWS's answer about it, read by its number. Throws DRIFT, UNREACHABLE.
 */
export async function ensureVersion(
  aws: AwsClients,
  { functionName, codeSha256 }: PlannedFunction,
): Promise<FunctionConfiguration & { readonly Version: string }> {
  const latest = await readConfiguration(aws, functionName);
  if (latest === undefined) throw drift(`${functionName} is not there after its deployment`, 'the function');
  if (latest.CodeSha256 !== codeSha256) {
    throw drift(`${functionName} has the code ${latest.CodeSha256} after its deployment`, codeSha256);
  }
  const same = (await listVersions(aws, functionName)).filter(
    (version) => version.CodeSha256 === codeSha256 && settingsOf(version) === settingsOf(latest),
  );
  const number = same.at(-1)?.Version ?? (await publish(aws, functionName, latest));
  const found = await readConfiguration(aws, functionName, number);
  if (found === undefined)
    throw drift(`version ${number} of ${functionName} is not there`, 'what was published');
  return { ...found, Version: number };
}

/**
 * Compares a version that was read back with what was built and with serverless.yml.
 *
 * @throws PluginError DRIFT with the field
 */
export function checkReadBack(
  id: string,
  accepted: AcceptedVersion,
  found: FunctionConfiguration,
  planned: PlannedFunction,
): void {
  checkVersion(id, accepted, found);
  const deployed = lambdaConfig(found);
  const variables = Object.keys(found.Environment?.Variables ?? {}).sort();
  const rows: Compared[] = [
    ...Object.entries(planned.config).map(([field, expected]) => {
      const value = deployed[field] ?? 'not set';
      return { field, expected, found: value, ok: value === expected };
    }),
    {
      field: 'names of the variables',
      expected: planned.variables.join(', '),
      found: variables.join(', '),
      ok: variables.join() === planned.variables.join(),
    },
  ];
  refuseFirst(id, accepted.version, rows);
}

/**
 * Compares a version with its entry in a lock, as the adapter does.
 *
 * @throws PluginError DRIFT with the field
 */
export function checkVersion(id: string, accepted: AcceptedVersion, found: FunctionConfiguration): void {
  refuseFirst(id, accepted.version, compareVersion(accepted, found));
}

function refuseFirst(id: string, version: string, rows: readonly Compared[]): void {
  const wrong = rows.find(({ ok }) => !ok);
  if (wrong === undefined) return;
  throw drift(
    `version ${version} of ${id} was read back with ${wrong.field} = ${wrong.found}`,
    wrong.expected,
  );
}

/** Published versions, the oldest first. */
async function listVersions(
  { lambda, lambdaSdk, region }: AwsClients,
  functionName: string,
): Promise<FunctionConfiguration[]> {
  const versions: FunctionConfiguration[] = [];
  try {
    for await (const page of lambdaSdk.paginateListVersionsByFunction(
      { client: lambda },
      { FunctionName: functionName },
    )) {
      versions.push(...(page.Versions ?? []));
    }
  } catch (error) {
    throw awsFailure(error, `lambda:ListVersionsByFunction on ${functionName}`, region);
  }
  return versions
    .filter(({ Version }) => /^[1-9]\d*$/.test(Version ?? ''))
    .sort((a, b) => Number(a.Version) - Number(b.Version));
}

/** Only if the function is still as it was looked at: CodeSha256 and RevisionId are AWS's own guards. */
async function publish(
  { lambda, lambdaSdk, region }: AwsClients,
  functionName: string,
  latest: FunctionConfiguration,
): Promise<string> {
  try {
    const { Version } = await lambda.send(
      new lambdaSdk.PublishVersionCommand({
        FunctionName: functionName,
        CodeSha256: latest.CodeSha256,
        RevisionId: latest.RevisionId,
      }),
    );
    if (Version !== undefined) return Version;
  } catch (error) {
    throw awsFailure(error, `lambda:PublishVersion on ${functionName}`, region);
  }
  throw drift(`AWS published ${functionName} without a number`, 'a version');
}

/** Everything that another version would be needed for: what a lock has, and what is only speed and size. */
function settingsOf(version: FunctionConfiguration): string {
  const config = Object.entries(lambdaConfig(version)).filter(([field]) => !ofAws.includes(field));
  const { MemorySize, Timeout, EphemeralStorage, TracingConfig, LoggingConfig, DeadLetterConfig } = version;
  return JSON.stringify([
    config,
    MemorySize,
    Timeout,
    EphemeralStorage?.Size,
    TracingConfig?.Mode,
    LoggingConfig,
    DeadLetterConfig,
  ]);
}

function drift(happened: string, expected: string): PluginError {
  return new PluginError('DRIFT', {
    happened,
    expected,
    remedy:
      'Somebody deployed at the same time, or changed the function by hand: put it back as serverless.yml says (drift detection of CloudFormation shows what differs), and run it again.',
  });
}
