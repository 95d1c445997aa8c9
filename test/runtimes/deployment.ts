import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyidOf, newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { acceptedBuilds, type BuildManifest, manifestOf } from '../../infra/build/manifest.ts';
import { putFunction } from '../../infra/lock/put.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

const root = join(import.meta.dirname, '../..');

/** The ipfilter function with documentation networks that demo and tests deploy. */
export const exampleEntry = join(root, 'functions/ipfilter/example.ts');

/** A folder with everything around one function: keys, TLS certificate, bundles, lock, host configuration. */
export interface Deployment {
  readonly folder: string;
  /** The host's configuration. */
  readonly configPath: string;
  readonly lockFile: string;
  readonly signerFile: string;
  /** `name@stage`. */
  readonly functionName: string;
  readonly functionKeyid: string;
  /** `x` of the function's public key. */
  readonly functionX: string;
  readonly manifest: BuildManifest;
  /** File of the Worker bundle. */
  readonly bundle: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** Starts a bundle in workerd behind its own TLS socket; by default the built one with the right key. */
  start(options?: {
    bundle?: string;
    key?: object;
    publicUrl?: string;
    port?: number;
    /** As {@link startWorkerd} takes them. */
    kv?: Readonly<Record<string, number>>;
  }): Promise<Workerd>;
  /** Writes (or replaces) lock and configuration for a function at this address. */
  lockAt(address: string, options?: { section?: string; state?: boolean }): Promise<void>;
  /** Ends every workerd and removes the folder. */
  close(): Promise<void>;
}

/**
 * Builds a function (an ipfilter unless `type` says otherwise) and makes keys and a certificate for it, as an author and an administrator would.
 *
 * ```ts
 * const deployment = await prepareDeployment();
 * const workerd = await deployment.start();
 * await deployment.lockAt(workerd.url);
 * ```
 */
export async function prepareDeployment(
  options: { entry?: string; name?: string; type?: PluginTypeName } = {},
): Promise<Deployment> {
  const { entry = exampleEntry, name = 'office', type = 'ipfilter' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'deployment-'));
  await chmod(folder, 0o755);
  const at = (file: string) => join(folder, file);
  const built = await buildFunction({ entry, name, type, outDir: at('out') }).catch(
    async (error: unknown) => {
      await rm(folder, { recursive: true });
      throw error;
    },
  );
  const manifest = manifestOf(name, built);
  const [adapterKey, functionKey, signerKey] = [newPrivateKey(), newPrivateKey(), newPrivateKey()];
  await writePrivateKey(at('adapter.key.json'), adapterKey);
  await writePrivateKey(at('lock-signer.key.json'), signerKey);
  await writePublicKeys(at('lock-signer.jwks.json'), [signerKey]);
  const tls = createCertificate({ names: ['localhost', '127.0.0.1'] });
  await writeFile(at('ca.pem'), tls.certPem);
  const started: Workerd[] = [];
  const functionName = `${name}@live`;
  const publicJwk = ({ kty, crv, x }: typeof adapterKey) => ({ kty, crv, x });
  const bundle = at(`out/${name}.worker.mjs`);

  return {
    folder,
    configPath: at('serverless.yaml'),
    lockFile: at('bundles.lock.json'),
    signerFile: at('lock-signer.key.json'),
    functionName,
    functionKeyid: await keyidOf(publicJwk(functionKey)),
    functionX: functionKey.x,
    manifest,
    bundle,
    tls,
    async start(override = {}) {
      const workerd = await startWorkerd({
        module: override.bundle ?? bundle,
        env: {
          PLUGIN_FUNCTION: functionName,
          PLUGIN_CALLERS: JSON.stringify({ keys: [publicJwk(adapterKey)] }),
          ...(override.publicUrl === undefined ? {} : { PLUGIN_URL: override.publicUrl }),
        },
        secrets: { PLUGIN_KEY: JSON.stringify(override.key ?? functionKey) },
        tls,
        ...(override.port === undefined ? {} : { port: override.port }),
        ...(override.kv === undefined ? {} : { kv: override.kv }),
      });
      started.push(workerd);
      return workerd;
    },
    async lockAt(address, { section = '', state = true } = {}) {
      await putFunction({
        lockFile: at('bundles.lock.json'),
        signerFile: at('lock-signer.key.json'),
        name: functionName,
        entry: {
          type,
          target: 'https',
          address,
          handles: [...manifest.handles],
          accepts: acceptedBuilds(manifest),
          keys: [publicJwk(functionKey)],
        },
      });
      await writeFile(
        at('serverless.yaml'),
        [
          'identity: adapter.key.json',
          'lock: { file: bundles.lock.json }',
          'trust: { file: lock-signer.jwks.json }',
          ...(state ? ['state: state'] : []),
          'https: { ca: ca.pem }',
          `${type}: { use: ${name}${section === '' ? '' : `, ${section}`} }`,
          '',
        ].join('\n'),
      );
    },
    async close() {
      await Promise.all(started.map((workerd) => workerd.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
