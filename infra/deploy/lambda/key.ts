import { newPrivateKey } from '../../../adapter/cli/keys/files.ts';
import { PluginError } from '../../../proto/error.ts';
import type { PublicJwk } from '../../../proto/keys/jwk.ts';
import { parsePrivateJwk } from '../../../proto/keys/parse.ts';
import type { DeployFunction, Report } from '../cloud.ts';
import type { AwsClients } from './clients.ts';
import { awsErrorName, awsFailure } from './failure.ts';

/**
 * Makes sure that a function has its key in Parameter Store, and returns the public part.
 *
 * A new key is made in memory and goes straight into a SecureString: it never touches a disk, and is never replaced
 * there. On later runs the public part is derived in memory from the parameter, or, where the deployer may not read
 * it, taken from the lock.
 *
 * @throws PluginError UNREACHABLE as {@link awsFailure}; DRIFT when the key is not the one of the lock
 */
export async function ensureKey(
  aws: AwsClients,
  fn: DeployFunction,
  parameter: string,
  report: Report,
): Promise<readonly PublicJwk[]> {
  const locked = (fn.locked?.keys ?? []).map(({ kty, crv, x }): PublicJwk => ({ kty, crv, x }));
  const found = await readKey(aws, parameter, locked.length > 0);
  if (found === 'forbidden') {
    report(`${fn.id}: its key may not be read here (${parameter}); the lock has its public part`);
    return locked;
  }
  const key = found ?? (await placeKey(aws, fn, parameter, report));
  if (locked.length === 0 || locked.some(({ x }) => x === key.x)) return locked.length === 0 ? [key] : locked;
  throw new PluginError('DRIFT', {
    happened: `${parameter} holds another key than the lock has for ${fn.id}`,
    expected: 'the key that was placed at its first deployment',
    remedy:
      'Restore the parameter (its history has the older values), or take the function out of the lock and deploy it anew.',
  });
}

/** Is there a key? For --dry-run: the parameter is named, not read. */
export async function hasKey(aws: AwsClients, parameter: string): Promise<boolean> {
  try {
    await aws.ssm.send(new aws.ssmSdk.GetParameterCommand({ Name: parameter, WithDecryption: false }));
    return true;
  } catch (error) {
    if (awsErrorName(error) === 'ParameterNotFound') return false;
    throw awsFailure(error, `ssm:GetParameter on ${parameter}`, aws.region);
  }
}

async function readKey(
  aws: AwsClients,
  parameter: string,
  isLocked: boolean,
): Promise<PublicJwk | 'forbidden' | undefined> {
  let value: string | undefined;
  try {
    const { Parameter: found } = await aws.ssm.send(
      new aws.ssmSdk.GetParameterCommand({ Name: parameter, WithDecryption: true }),
    );
    if (found?.Type !== 'SecureString') throw exposed(parameter);
    value = found.Value;
  } catch (error) {
    if (awsErrorName(error) === 'ParameterNotFound') return undefined;
    if (awsErrorName(error) === 'AccessDeniedException' && isLocked) return 'forbidden';
    throw awsFailure(error, `ssm:GetParameter on ${parameter}`, aws.region);
  }
  const { kty, crv, x } = parsePrivateJwk(parsed(value), `the parameter ${parameter}`);
  return { kty, crv, x };
}

/** Two deployers may come here at once: whoever is second takes the key of the first. */
async function placeKey(
  aws: AwsClients,
  fn: DeployFunction,
  parameter: string,
  report: Report,
): Promise<PublicJwk> {
  const made = newPrivateKey();
  try {
    await aws.ssm.send(
      new aws.ssmSdk.PutParameterCommand({
        Name: parameter,
        Description: `Key of ${fn.id}, made by its first deployment`,
        Type: 'SecureString',
        Value: JSON.stringify(made),
        Overwrite: false,
      }),
    );
  } catch (error) {
    const found =
      awsErrorName(error) === 'ParameterAlreadyExists' ? await readKey(aws, parameter, false) : undefined;
    if (found !== undefined && found !== 'forbidden') return found;
    throw awsFailure(error, `ssm:PutParameter on ${parameter}`, aws.region);
  }
  report(`${fn.id}: made its key, in ${parameter}`);
  const { kty, crv, x } = made;
  return { kty, crv, x };
}

function exposed(parameter: string): PluginError {
  return new PluginError('KEY_FILE_EXPOSED', {
    happened: `the parameter ${parameter} is not encrypted`,
    expected: 'a SecureString',
    remedy: 'Delete it, take the function out of the lock and deploy it anew: its key is known to others.',
  });
}

function parsed(value: string | undefined): unknown {
  try {
    return JSON.parse(value ?? '');
  } catch {
    // without its cause, whose message quotes the text
    return undefined;
  }
}
