import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyidOf, newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { acceptedLambda, type BuildManifest, manifestOf } from '../../infra/build/manifest.ts';
import { putFunction } from '../../infra/lock/put.ts';
import type { PrivateJwk } from '../../proto/keys/jwk.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { publicOf } from '../support/keys.ts';
import { type LambdaHost, startLambdaHost } from './lambda-host.ts';

/** One function to deploy to the Lambda host. */
export interface LambdaFunction {
  readonly type: PluginTypeName;
  /** The author's module. */
  readonly entry: string;
  /** Name on Lambda and in the lock (stage `live`). */
  readonly name: string;
  /** Its own settings: tables, endpoints. PLUGIN_* are added. */
  readonly env?: Readonly<Record<string, string>>;
  /** What follows `use` in its section of the configuration: `cache: { entries: 0 }`. */
  readonly section?: string;
  /** Absent: 15. */
  readonly timeoutS?: number;
}

/** A function as it was deployed. */
export interface DeployedFunction {
  /** `name@stage`. */
  readonly functionName: string;
  readonly arn: string;
  /** The version published by the preparation. */
  readonly version: string;
  /** File of the deployable zip. */
  readonly zip: string;
  readonly manifest: BuildManifest;
  readonly key: PrivateJwk;
  readonly keyid: string;
  /** All of its variables: what another version needs as well. */
  readonly env: Readonly<Record<string, string>>;
  /** Its entry in the lock. */
  readonly locked: LockedFunction;
}

/** A folder with everything around functions on Lambda: keys, zips, lock, AWS credentials, host configuration. */
export interface LambdaDeployment {
  readonly folder: string;
  /** The host's configuration, with a section for each function. */
  readonly configPath: string;
  readonly lockFile: string;
  readonly signerFile: string;
  readonly adapterKey: PrivateJwk;
  readonly host: LambdaHost;
  /** By name. Throws for a name that was not deployed. */
  deployed(name: string): DeployedFunction;
  /** Replaces parts of a function's entry in the lock, with a higher seq. */
  relock(name: string, changed: Partial<LockedFunction>): Promise<void>;
  /** Removes the folder, and ends the host if the preparation started it. */
  close(): Promise<void>;
}

/**
 * Deploys functions to a Lambda service on this machine, as an author and an administrator would: builds the zips,
 * makes keys, puts the private ones into Parameter Store, publishes versions, and writes lock, AWS credentials and
 * configuration.
 *
 * ```ts
 * const deployment = await prepareLambdaDeployment([{ type: 'ipfilter', entry: exampleEntry, name: 'office' }]);
 * const adapter = await startAdapter('ipfilter', deployment.configPath, log);
 * ```
 */
export async function prepareLambdaDeployment(
  functions: readonly LambdaFunction[],
  options: {
    /** A host that goes on after this deployment; absent: a new one. */
    host?: LambdaHost;
    /** Lines for the `aws` section instead of the host's endpoint: a recording proxy before it. */
    endpoint?: string;
    say?: (text: string) => void;
  } = {},
): Promise<LambdaDeployment> {
  const host = options.host ?? (await startLambdaHost(options.say === undefined ? {} : { say: options.say }));
  const folder = await mkdtemp(join(tmpdir(), 'lambda-deployment-'));
  await chmod(folder, 0o755);
  const at = (file: string) => join(folder, file);
  const [adapterKey, signerKey] = [newPrivateKey(), newPrivateKey()];
  const deployed = new Map<string, DeployedFunction>();
  const lockFile = at('bundles.lock.json');
  const signerFile = at('lock-signer.key.json');

  async function deploy({ type, entry, name, env: own = {}, timeoutS = 15 }: LambdaFunction) {
    const built = await buildFunction({ type, entry, name, outDir: at('out'), targets: ['lambda'] });
    const manifest = manifestOf(name, built);
    const key = newPrivateKey();
    const functionName = `${name}@live`;
    const zip = at(`out/${name}.lambda.zip`);
    const env = {
      ...own,
      PLUGIN_FUNCTION: functionName,
      PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(adapterKey)] }),
      PLUGIN_KEY_PARAMETER: `/sftpgo/${name}`,
    };
    host.parameters.set(env.PLUGIN_KEY_PARAMETER, JSON.stringify(key));
    const version = host.publish(name, { zip: await readFile(zip), env, timeoutS });
    const locked: LockedFunction = {
      type,
      target: 'lambda',
      address: host.arnOf(name),
      handles: [...manifest.handles],
      accepts: [acceptedLambda(manifest, version)],
      keys: [publicOf(key)],
    };
    await putFunction({ lockFile, signerFile, name: functionName, entry: locked });
    const keyid = await keyidOf(publicOf(key));
    const arn = host.arnOf(name);
    deployed.set(name, { functionName, arn, version, zip, manifest, key, keyid, env, locked });
  }

  async function close(): Promise<void> {
    if (options.host === undefined) await host.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    await writePrivateKey(at('adapter.key.json'), adapterKey);
    await writePrivateKey(signerFile, signerKey);
    await writePublicKeys(at('lock-signer.jwks.json'), [signerKey]);
    for (const one of functions) await deploy(one);
    await writeFile(
      at('aws-credentials'),
      `[sftpgo]\naws_access_key_id = ${host.credentials.accessKeyId}\naws_secret_access_key = ${host.credentials.secretAccessKey}\n`,
      { mode: 0o600 },
    );
    const sections = functions.map(
      ({ type, name, section = '' }) => `${type}: { use: ${name}${section === '' ? '' : `, ${section}`} }`,
    );
    const aws = `{ credentialsFile: aws-credentials, profile: sftpgo, endpoint: "${options.endpoint ?? host.url}" }`;
    const config = [
      'identity: adapter.key.json',
      'lock: { file: bundles.lock.json }',
      'trust: { file: lock-signer.jwks.json }',
      'state: state',
      `aws: ${aws}`,
      ...sections,
    ];
    await writeFile(at('serverless.yaml'), `${config.join('\n')}\n`);
  } catch (error) {
    await close();
    throw error;
  }

  const find = (name: string): DeployedFunction => {
    const found = deployed.get(name);
    if (found === undefined) throw new Error(`${name} was not deployed`);
    return found;
  };
  return {
    folder,
    configPath: at('serverless.yaml'),
    lockFile,
    signerFile,
    adapterKey,
    host,
    deployed: find,
    async relock(name, changed) {
      const { functionName, locked } = find(name);
      await putFunction({ lockFile, signerFile, name: functionName, entry: { ...locked, ...changed } });
    },
    close,
  };
}
