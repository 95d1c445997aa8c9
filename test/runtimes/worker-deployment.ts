import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { workerApi } from '../../adapter/targets/worker/api.ts';
import { workerConfig, workerFiles } from '../../adapter/targets/worker/configuration.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { putFunction } from '../../infra/lock/put.ts';
import { type Cloudflare, startCloudflare } from './cloudflare-api.ts';

/** What an upload has instead of what the build made. */
export interface UploadChanges {
  readonly code?: (bundle: string) => string;
  readonly bindings?: readonly object[];
  readonly compatibilityFlags?: readonly string[];
}

/** A folder with everything around the Worker `office`, and the Cloudflare that it runs at. */
export interface WorkerDeployment {
  readonly folder: string;
  readonly configPath: string;
  readonly cloudflare: Cloudflare;
  /** Uploads a version, without traffic unless it is the first; returns its id. */
  upload(changes?: UploadChanges): Promise<string>;
  /** Gives the traffic to these versions, in equal shares. */
  shift(...ids: readonly string[]): Promise<void>;
  /** Reads versions back as a deployment does, and writes the lock that accepts them. */
  lock(ids: readonly string[], address?: string): Promise<void>;
  /** Writes the host's configuration. */
  configure(options?: { section?: string; token?: boolean }): Promise<void>;
  close(): Promise<void>;
}

const entry = join(import.meta.dirname, 'uncached-plugin.ts');
const name = 'office';
const functionName = 'office@live';
const moduleType = 'application/javascript+module';

/** Builds a plugin, makes keys, and starts a Cloudflare that has nothing yet. */
export async function prepareWorker(): Promise<WorkerDeployment> {
  const folder = await mkdtemp(join(tmpdir(), 'worker-deployment-'));
  await chmod(folder, 0o755);
  const at = (file: string) => join(folder, file);
  const built = await buildFunction({ entry, name, type: 'ipfilter', outDir: at('out') });
  const bundle = await readFile(at('out/office.worker.mjs'), 'utf8');
  const [adapterKey, functionKey, signerKey] = [newPrivateKey(), newPrivateKey(), newPrivateKey()];
  await writePrivateKey(at('adapter.key.json'), adapterKey);
  await writePrivateKey(at('lock-signer.key.json'), signerKey);
  await writePublicKeys(at('lock-signer.jwks.json'), [signerKey]);
  const tls = createCertificate({ names: ['localhost', '*.acme.workers.dev'] });
  await writeFile(at('ca.pem'), tls.certPem);
  const cloudflare = await startCloudflare({ tls });
  const { account, url: endpoint, token } = cloudflare;
  await writeFile(at('cloudflare.token'), `${cloudflare.readToken}\n`, { mode: 0o400 });
  const publicJwk = ({ kty, crv, x }: typeof adapterKey) => ({ kty, crv, x });
  const bindings = [
    { type: 'plain_text', name: 'PLUGIN_FUNCTION', text: functionName },
    { type: 'plain_text', name: 'PLUGIN_CALLERS', text: JSON.stringify({ keys: [publicJwk(adapterKey)] }) },
    { type: 'secret_text', name: 'PLUGIN_KEY', text: JSON.stringify(functionKey) },
    { type: 'version_metadata', name: 'CF_VERSION_METADATA' },
  ];

  async function api<T>(method: string, path: string, body: FormData | string): Promise<T> {
    const response = await fetch(`${endpoint}/accounts/${account}/workers/scripts/${name}${path}`, {
      method,
      body,
      headers: { authorization: `Bearer ${token}` },
    });
    const { success, errors, result } = (await response.json()) as {
      success: boolean;
      errors: unknown;
      result: T;
    };
    if (!success) throw new Error(JSON.stringify(errors));
    return result;
  }

  return {
    folder,
    configPath: at('serverless.yaml'),
    cloudflare,
    async upload({ code = (text: string) => text, bindings: own = bindings, compatibilityFlags = [] } = {}) {
      const form = new FormData();
      const metadata = {
        main_module: 'office.worker.mjs',
        bindings: own.map((binding) => ({
          ...bindings.find((known) => known.name === Object(binding).name),
          ...binding,
        })),
        compatibility_date: '2026-07-01',
        compatibility_flags: compatibilityFlags,
      };
      form.set('metadata', JSON.stringify(metadata));
      form.set('office.worker.mjs', new File([code(bundle)], 'office.worker.mjs', { type: moduleType }));
      if (cloudflare.workers.has(name)) return (await api<{ id: string }>('POST', '/versions', form)).id;
      await api('PUT', '', form);
      await api('POST', '/subdomain', JSON.stringify({ enabled: true, previews_enabled: true }));
      return cloudflare.workers.get(name)?.versions.at(-1)?.id ?? '';
    },
    async shift(...ids) {
      const versions = ids.map((id) => ({ version_id: id, percentage: 100 / ids.length }));
      await api('POST', '/deployments', JSON.stringify({ strategy: 'percentage', versions }));
    },
    async lock(ids, address) {
      const settings = { account, endpoint, watchMs: undefined, tokenStamp: '', token: () => token };
      const asked = workerApi(settings, name, functionName);
      const worker = await asked.worker();
      const accepts = await Promise.all(
        ids.map(async (id) => {
          const version = await asked.version(id);
          return {
            version: id,
            files: workerFiles(version),
            config: workerConfig(version, worker),
            inputs: {},
          };
        }),
      );
      await putFunction({
        lockFile: at('bundles.lock.json'),
        signerFile: at('lock-signer.key.json'),
        name: functionName,
        entry: {
          type: 'ipfilter',
          target: 'worker',
          address: address ?? (await cloudflare.urlOf(name)),
          handles: [...built.handles],
          accepts,
          keys: [publicJwk(functionKey)],
        },
      });
    },
    async configure({ section = '', token: withToken = true } = {}) {
      const cloud = `cloudflare: { account: ${account}, tokenFile: cloudflare.token, watch: 1s, endpoint: "${endpoint}" }`;
      const lines = [
        'identity: adapter.key.json',
        'lock: { file: bundles.lock.json }',
        'trust: { file: lock-signer.jwks.json }',
        'state: state',
        'https: { ca: ca.pem }',
        ...(withToken ? [cloud] : []),
        `ipfilter: { use: office${section === '' ? '' : `, ${section}`} }`,
      ];
      await writeFile(at('serverless.yaml'), `${lines.join('\n')}\n`);
    },
    async close() {
      await cloudflare.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
