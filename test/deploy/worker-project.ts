import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { type BuildManifest, manifestOf, writeManifest } from '../../infra/build/manifest.ts';
import type { DeployFunction } from '../../infra/deploy/cloud.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { type Cloudflare, startCloudflare } from '../runtimes/cloudflare-api.ts';
import type { CommandOutcome } from '../support/command.ts';
import { publicOf } from '../support/keys.ts';
import { type KillAt, runKillable } from '../support/killable-command.ts';

const tools = join(import.meta.dirname, 'tools');

/** An author's project with one Worker, and a Cloudflare to deploy it to. */
export interface WorkerProject {
  readonly folder: string;
  readonly cloudflare: Cloudflare;
  /** Absolute path of the built bundle. */
  readonly bundle: string;
  /** What a deployer's shell has: token, account and address of that Cloudflare. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the Worker answers. */
  readonly address: string;
  /** Builds the function; another reason makes other bytes. */
  build(reason?: string): Promise<void>;
  /** Runs a command of the package there; kills it, and what it started, at once and without a word at `killAt`. */
  run(
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly killAt?: KillAt },
  ): Promise<CommandOutcome>;
  /** What `deploy` gives to a cloud. */
  fn(locked?: LockedFunction): DeployFunction;
  /** Changes fields of the wrangler configuration; `undefined` takes one out. */
  configure(changes: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

/** Installs osls and wrangler, where that was not done yet, and returns the folder that has them in node_modules. */
export async function deployTools(): Promise<string> {
  if (!existsSync(join(tools, 'node_modules/wrangler/package.json'))) {
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: tools });
  }
  return tools;
}

/** One office may come in, and the log says who was not. Networks of RFC 5737. */
const sourceWith = (reason: string) => `import { allow, deny, ipfilter } from 'sftpgo-plugin-serverless/kit';
import { networks } from 'sftpgo-plugin-serverless/kit/net';

const office = networks('203.0.113.0/24');
export default ipfilter({
  async checkIP({ ip }) {
    if (office.has(ip)) return allow({ for: '1m' });
    console.log('refused ' + ip);
    return deny('${reason}', { for: '1m' });
  },
});
`;

/** Builds an ipfilter in a project of its own, with the wrangler that authors install, and a host to call it. */
export async function prepareWorkerProject(): Promise<WorkerProject> {
  const folder = await mkdtemp(join(tmpdir(), 'worker-project-'));
  const at = (name: string) => join(folder, name);
  await mkdir(at('node_modules'));
  await symlink(join(await deployTools(), 'node_modules/wrangler'), at('node_modules/wrangler'));
  await writeFile(at('package.json'), '{ "private": true, "type": "module" }\n');
  const entry = at('office.ts');
  let manifest: BuildManifest;
  const build = async (reason = 'not of the office') => {
    await writeFile(entry, sourceWith(reason));
    const built = await buildFunction({ entry, name: 'office', outDir: at('out'), targets: ['worker'] });
    manifest = manifestOf('office', built);
    await writeManifest(at('out'), manifest);
  };
  await build();
  const [adapterKey, signerKey] = [newPrivateKey(), newPrivateKey()];
  await writePrivateKey(at('adapter.key.json'), adapterKey);
  await writePublicKeys(at('adapter.jwks.json'), [adapterKey]);
  await writePrivateKey(at('lock-signer.key.json'), signerKey);
  await writePublicKeys(at('lock-signer.jwks.json'), [signerKey]);
  const tls = createCertificate({ names: ['localhost'] });
  await writeFile(at('ca.pem'), tls.certPem);
  const cloudflare = await startCloudflare({ tls });
  const { account, readToken, url } = cloudflare;
  await writeFile(at('cloudflare.token'), `${readToken}\n`, { mode: 0o600 });
  await writeFile(at('host.yaml'), hostConfig(account, url));
  const address = await cloudflare.urlOf('office');
  let config: Record<string, unknown> = {
    name: 'office',
    main: 'out/office.worker.mjs',
    no_bundle: true,
    compatibility_date: '2026-07-01',
    workers_dev: true,
    preview_urls: false,
    version_metadata: { binding: 'CF_VERSION_METADATA' },
    secrets: { required: ['PLUGIN_KEY'] },
    kv_namespaces: [{ binding: 'BANS', id: '0123456789abcdef0123456789abcdef' }],
    vars: { PLUGIN_URL: address },
    observability: { enabled: true },
    dependencies_instrumentation: { enabled: false },
  };
  const configure = async (changes: Readonly<Record<string, unknown>>) => {
    config = { ...config, ...changes };
    await writeFile(at('office.wrangler.jsonc'), `// of the author\n${JSON.stringify(config)}\n`);
  };
  await configure({});
  await writeFile(
    at('serverless.yml'),
    'custom: { plugins: { office: { entry: office.ts, target: worker, config: office.wrangler.jsonc } } }\n',
  );
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(adapterKey)] }),
    CLOUDFLARE_API_TOKEN: cloudflare.token,
    CLOUDFLARE_ACCOUNT_ID: account,
    CLOUDFLARE_API_BASE_URL: url,
  };
  return {
    folder,
    cloudflare,
    environment,
    bundle: at('out/office.worker.mjs'),
    address,
    build,
    configure,
    fn: (locked) => ({
      name: 'office',
      stage: 'live',
      id: 'office@live',
      entry,
      target: 'worker',
      config: at('office.wrangler.jsonc'),
      builtIn: at('out'),
      manifest,
      locked,
    }),
    run: (args, { env = {}, killAt } = {}) =>
      runKillable(folder, args, { env: { ...environment, ...env }, killAt }),
    async close() {
      await cloudflare.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function hostConfig(account: string, endpoint: string): string {
  return `identity: adapter.key.json
lock: { file: bundles.lock.json }
trust: { file: lock-signer.jwks.json }
https: { ca: ca.pem }
cloudflare: { account: ${account}, tokenFile: cloudflare.token, endpoint: "${endpoint}" }
ipfilter: { use: office }
`;
}
