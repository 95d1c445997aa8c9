import { createRequire } from 'node:module';
import { PluginError } from '../../../proto/error.ts';
import { toolFile } from '../tool.ts';
import { awsErrorName, awsFailure } from './failure.ts';

/** CloudFormation's state of a stack that is planned, and of which nothing was made yet. */
export const plannedState = 'REVIEW_IN_PROGRESS';

/** A stack with no more in it than a bucket is made within a minute. */
const makingS = 300;

/** What is used here of the SDK that osls brings along. */
interface CloudFormation {
  readonly CloudFormationClient: new (settings: object) => Client;
  readonly DescribeChangeSetCommand: new (input: object) => unknown;
  readonly ExecuteChangeSetCommand: new (input: object) => unknown;
  waitUntilStackCreateComplete(
    options: { client: Client; maxWaitTime: number },
    input: object,
  ): Promise<unknown>;
}
interface Client {
  send(command: unknown): Promise<{ readonly Status?: string }>;
  destroy(): void;
}

/**
 * Makes the stack that an osls planned and did not make, because it was killed in between: osls itself refuses to go on
 * there. It carries out that plan, as osls would have done; what is not in it comes with the next deployment.
 *
 * Takes the stack as osls packaged it, and how osls is run. Throws INPUT_INVALID when there is no plan that can be carried out; UNREACHABLE.
 */
export async function finishPlannedStack(
  { region, stack }: { readonly region: string; readonly stack: string },
  { folder, stage }: { readonly folder: string; readonly stage: string },
): Promise<void> {
  const sdk: CloudFormation = createRequire(toolFile(folder, 'osls'))('@aws-sdk/client-cloudformation');
  const client = new sdk.CloudFormationClient({ region });
  const changeSet = { StackName: stack, ChangeSetName: `${stack}-change-set` };
  try {
    const { Status: status } = await client.send(new sdk.DescribeChangeSetCommand(changeSet));
    if (status !== 'CREATE_COMPLETE') throw noPlan(stack, stage, `is ${status}`);
    await client.send(new sdk.ExecuteChangeSetCommand(changeSet));
    await sdk.waitUntilStackCreateComplete({ client, maxWaitTime: makingS }, { StackName: stack });
  } catch (error) {
    if (awsErrorName(error).startsWith('ChangeSetNotFound')) throw noPlan(stack, stage, 'is gone');
    throw awsFailure(error, `cloudformation:ExecuteChangeSet on ${stack}`, region);
  } finally {
    client.destroy();
  }
}

function noPlan(stack: string, stage: string, what: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `the stack ${stack} was planned and never made, and its change set ${what}`,
    expected: 'one that can be carried out',
    remedy: `Wait a minute and run it again. If that does not help: npx osls remove --stage ${stage}, and run it again.`,
  });
}
