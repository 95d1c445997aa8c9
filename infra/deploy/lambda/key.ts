import { newPrivateKey } from '../../../adapter/cli/keys/files.ts';
import { lambdaConfig } from '../../../adapter/targets/lambda/configuration.ts';
import { PluginError } from '../../../proto/error.ts';
import type { PublicJwk } from '../../../proto/keys/jwk.ts';
import { parsePrivateJwk } from '../../../proto/keys/parse.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import type { DeployFunction, Report } from '../cloud.ts';
import type { AwsClients } from './clients.ts';
import { awsErrorName, awsFailure } from './failure.ts';

/** Of a lock's `config`: where a version takes its key from. */
const parameterField = 'environment.PLUGIN_KEY_PARAMETER';

/**
 * Makes sure that a function has its key in Parameter Store, and returns the public parts that the lock must have: this
 * key, and those of versions that it accepts already.
 *
 * A new key is made in memory and goes straight into a SecureString: it never touches a disk, and is never replaced
 * there. On later runs the public part is derived in memory from the parameter, or, where the deployer may not read
 * it, taken from the lock. Another parameter than the versions in the lock have is how a key is replaced.
 *
 * `fn.locked`: undefined also when the lock has the function elsewhere.
 *
 * @throws PluginError as {@link findKey}
 */
export async function ensureKey(
  aws: AwsClients,
  fn: DeployFunction,
  parameter: string,
  report: Report,
): Promise<readonly PublicJwk[]> {
  const locked = lockedKeys(fn);
  const found = await findKey(aws, fn, parameter);
  if (found === 'forbidden') {
    report(`${fn.id}: its key may not be read here (${parameter}); the lock has its public part`);
    return locked;
  }
  const key = found ?? (await placeKey(aws, fn, parameter, report));
  return locked.some(({ x }) => x === key.x) ? locked : [...locked, key];
}

/**
 * The public part of the key in a parameter; undefined when there is none and one may be made. Changes nothing.
 *
 * @throws PluginError UNREACHABLE as {@link awsFailure}; KEY_FILE_EXPOSED, KEY_FILE_INVALID; DRIFT when a version in
 * the lock takes its key from there and it is missing, or another one
 */
export async function findKey(
  aws: AwsClients,
  fn: DeployFunction,
  parameter: string,
): Promise<PublicJwk | 'forbidden' | undefined> {
  const locked = lockedKeys(fn);
  const isLocked = locked.length > 0 && takesKeyFrom(fn.locked, parameter);
  const found = await readKey(aws, parameter, isLocked);
  if (!isLocked || found === 'forbidden') return found;
  if (found === undefined) {
    throw new PluginError('DRIFT', {
      happened: `${parameter} is not there, and the lock has the key of ${fn.id}`,
      expected: 'the key that was placed at its first deployment',
      remedy: `Put it back. Without it: ${newKeyRemedy(fn.id)}`,
    });
  }
  if (locked.some(({ x }) => x === found.x)) return found;
  throw anotherKey(fn.id, parameter);
}

/**
 * Which keys of an entry a version signs with: the one in its parameter. All of them where that cannot be read.
 *
 * @throws PluginError DRIFT when that is none of the lock; UNREACHABLE
 */
export async function keysOfVersion(
  aws: AwsClients,
  id: string,
  { keys }: LockedFunction,
  { config }: AcceptedVersion,
  report: Report,
): Promise<LockedFunction['keys']> {
  if (keys.length === 1) return keys;
  const parameter = config[parameterField];
  const found =
    typeof parameter === 'string' && parameter.startsWith('/')
      ? await readKey(aws, parameter, true)
      : undefined;
  if (found === undefined || found === 'forbidden') {
    report(`${id}: its key cannot be read here (${parameter}), so all ${keys.length} keys stay in the lock`);
    return keys;
  }
  const own = keys.filter(({ x }) => x === found.x);
  if (own.length === 0) throw anotherKey(id, String(parameter));
  return own;
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

function lockedKeys({ locked }: DeployFunction): PublicJwk[] {
  return (locked?.keys ?? []).map(({ kty, crv, x }) => ({ kty, crv, x }));
}

/** Does a version in the lock take its key from a parameter? One of which the lock does not say may. */
function takesKeyFrom(locked: LockedFunction | undefined, parameter: string): boolean {
  const { [parameterField]: shown } = lambdaConfig({
    Environment: { Variables: { PLUGIN_KEY_PARAMETER: parameter } },
  });
  return (locked?.accepts ?? []).some(({ config }) =>
    [undefined, shown].includes(config[parameterField] as string),
  );
}

function anotherKey(id: string, parameter: string): PluginError {
  return new PluginError('DRIFT', {
    happened: `${parameter} holds another key than the lock has for ${id}`,
    expected: 'the key that was placed at its first deployment',
    remedy: `Restore the parameter: its history has the older values. Without them: ${newKeyRemedy(id)}`,
  });
}

/** Another parameter is another version: one that is the same goes on with the key that it has read. */
function newKeyRemedy(id: string): string {
  return `name another PLUGIN_KEY_PARAMETER in serverless.yml and in the function's role, and deploy again. Where the key was stolen, or that is refused as well, run \`lock remove ${id}\` before: docs/deploy.md, "Another key".`;
}

function exposed(parameter: string): PluginError {
  return new PluginError('KEY_FILE_EXPOSED', {
    happened: `the parameter ${parameter} is not encrypted`,
    expected: 'a SecureString',
    remedy:
      'Its key may be known to others. Name another PLUGIN_KEY_PARAMETER in serverless.yml, deploy again, bring the lock to the host, and delete the old parameter last: docs/deploy.md, "Another key".',
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
