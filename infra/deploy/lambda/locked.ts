import { PluginError } from '../../../proto/error.ts';
import { parseLambdaAddress } from '../../../proto/lock/lambda-address.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { DeployFunction } from '../cloud.ts';
import type { AwsClients } from './clients.ts';
import { awsFailure } from './failure.ts';
import type { Packaged } from './osls.ts';
import type { PlannedFunction } from './template.ts';
import { readConfiguration } from './versions.ts';

/** AWS names a version by the ARN with its number behind it: the lock has them apart. */
export function unqualified(arn: string): string {
  return arn.replace(/:(?:\d+|\$LATEST)$/, '');
}

/**
 * The entry of the lock, if it is of the very function that is deployed; in another region or account it is another
 * function, with another key.
 *
 * @throws PluginError UNREACHABLE
 */
export async function lockedHere(
  aws: AwsClients,
  { functionName }: PlannedFunction,
  locked: LockedFunction | undefined,
): Promise<LockedFunction | undefined> {
  if (locked === undefined || nameIn(aws.region, locked) !== functionName) return undefined;
  const found = await readConfiguration(aws, functionName);
  // one that was deleted would be made again under the same ARN, if that is of this account
  const isHere =
    found === undefined
      ? accountIn(locked) === (await aws.account())
      : unqualified(found.FunctionArn ?? '') === locked.address;
  return isHere ? locked : undefined;
}

/**
 * Before the stack is deployed: a function whose name changes in its stack is another one to CloudFormation, which then
 * deletes the one before, while the host calls it.
 *
 * @throws PluginError CONFIG_INVALID; UNREACHABLE
 */
export async function checkRename(
  aws: AwsClients,
  { stack }: Pick<Packaged, 'stack'>,
  { functionName }: PlannedFunction,
  { id, locked }: Pick<DeployFunction, 'id' | 'locked'>,
): Promise<void> {
  const before = locked && nameIn(aws.region, locked);
  if (locked === undefined || before === undefined || before === functionName) return;
  const found = await readConfiguration(aws, before);
  if (found === undefined || unqualified(found.FunctionArn ?? '') !== locked.address) return;
  if ((await stackOf(aws, locked.address)) !== stack) return;
  throw new PluginError('CONFIG_INVALID', {
    happened: `serverless.yml: ${id} would be ${functionName}, and CloudFormation would delete ${before}, which the host calls until it has another lock`,
    expected: `${before}, or another stack than ${stack}`,
    remedy: 'Put its name back; or change `service` as well, which makes a stack beside this one.',
  });
}

/** The name of a function in the lock, if it is in a region. */
function nameIn(region: string, { target, address }: LockedFunction): string | undefined {
  if (target !== 'lambda') return undefined;
  const parsed = parseLambdaAddress(address);
  return 'region' in parsed && parsed.region === region ? parsed.name : undefined;
}

function accountIn({ address }: LockedFunction): string | undefined {
  return address.split(':')[4];
}

/** CloudFormation tags what it makes with the name of its stack. */
async function stackOf({ lambda, lambdaSdk, region }: AwsClients, arn: string): Promise<string | undefined> {
  try {
    const { Tags } = await lambda.send(new lambdaSdk.ListTagsCommand({ Resource: arn }));
    return Tags?.['aws:cloudformation:stack-name'];
  } catch (error) {
    throw awsFailure(error, `lambda:ListTags on ${arn}`, region);
  }
}
