import { createRequire } from 'node:module';
import { PluginError } from '../../../proto/error.ts';
import { toolFile } from '../tool.ts';
import { awsFailure } from './failure.ts';

/** What is used here of the SDK that osls brings along. */
interface Sts {
  readonly STSClient: new (
    settings: object,
  ) => {
    send(command: unknown): Promise<{ readonly Account?: string }>;
    destroy(): void;
  };
  readonly GetCallerIdentityCommand: new (input: object) => unknown;
}

/**
 * The account whose credentials the SDK finds: it is that of what would be deployed. AWS demands no right for this.
 *
 * Takes the author's project and settings of a client. Throws TOOL_MISSING without osls, UNREACHABLE.
 */
export async function accountOfCaller(
  folder: string,
  settings: { readonly region: string },
): Promise<string> {
  const sdk: Sts = createRequire(toolFile(folder, 'osls'))('@aws-sdk/client-sts');
  const client = new sdk.STSClient(settings);
  try {
    const { Account: account } = await client.send(new sdk.GetCallerIdentityCommand({}));
    if (account !== undefined) return account;
  } catch (error) {
    throw awsFailure(error, 'sts:GetCallerIdentity', settings.region);
  } finally {
    client.destroy();
  }
  throw new PluginError('UNREACHABLE', {
    happened: 'AWS did not say whose credentials these are',
    expected: 'the account, as the answer to sts:GetCallerIdentity',
    remedy: 'Check the credentials with `aws sts get-caller-identity`, and run it again.',
  });
}
