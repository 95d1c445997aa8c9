import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { acceptedBuilds, acceptedLambda, manifestOf } from '../../infra/build/manifest.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { type FaultProxy, startFaultProxy } from '../faults/proxy.ts';
import { type LambdaHost, startLambdaHost } from '../runtimes/lambda-host.ts';
import { startWorkerd } from '../runtimes/workerd.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { lockWith, makeRoleFolder } from '../support/role-folder.ts';

/** Where the function of each type runs. */
export const homes = {
  auth: 'node',
  kms: 'workerd',
  ipfilter: 'workerd',
  notifier: 'workerd',
  eventsearcher: 'node',
  metadata: 'lambda',
} as const satisfies Readonly<Record<PluginTypeName, 'node' | 'workerd' | 'lambda'>>;

export const types = Object.keys(homes) as PluginTypeName[];

/** A function behind HTTPS, and the line to it. */
export interface Remote {
  readonly type: PluginTypeName;
  readonly proxy: FaultProxy;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
}

/** What the host's files say; {@link Ground.write} puts it there. */
export interface Files {
  seq: number;
  /** Changes the entry of one function in the lock, and so makes its role begin anew. */
  edition: Partial<Record<PluginTypeName, number>>;
  /** Which of the two keys that the functions know the adapter signs with. */
  key: 0 | 1;
  /** Of every section. */
  timeoutMs: number;
}

/** Functions of all types where they run, and the files of one host. */
export interface Ground {
  readonly executable: string;
  readonly configPath: string;
  readonly state: string;
  readonly remotes: readonly Remote[];
  readonly lambda: LambdaHost;
  readonly files: Files;
  at(file: string): string;
  /** Writes configuration, lock and key as {@link Files} says. */
  write(): Promise<void>;
  /** Writes what is wrong. */
  spoil(file: 'serverless.yaml' | 'bundles.lock.json' | 'adapter.key.json', text: string): Promise<void>;
  /** The lock with another seq. */
  lockText(seq: number): Promise<string>;
  close(): Promise<void>;
}

const sections: Readonly<Record<PluginTypeName, string>> = {
  auth: 'ceiling: { fields: [email] }',
  kms: 'integrity: { require: claimed }',
  ipfilter: 'onUnavailable: deny',
  notifier: 'instance: node1',
  eventsearcher: 'integrity: { require: claimed }',
  metadata: 'integrity: { require: platform }',
};

/** Builds and starts everything. `told` gets what functions write: type, RPC, number. */
export async function startGround(
  told: (type: PluginTypeName, rpc: string, n: string) => void,
): Promise<Ground> {
  const folder = await makeRoleFolder('https://localhost');
  const { at } = folder;
  const keys = [newKey(), newKey()] as const;
  const certificate = createCertificate({ names: ['localhost', '127.0.0.1'] });
  await folder.write('ca.pem', certificate.certPem);
  await folder.write('tls.key.pem', certificate.keyPem);
  await buildExecutable(join(import.meta.dirname, '../..'), at('sftpgo-plugin-serverless'));
  const listen = (type: PluginTypeName) =>
    lines((line) => {
      const [, rpc, n] = /soak (\w+) (\S+) \./.exec(line) ?? [];
      if (rpc !== undefined && n !== undefined) told(type, rpc, n);
    });
  const lambda = await startLambdaHost({ runtime: 'node', onOutput: listen('metadata') });
  const locked: Partial<Record<PluginTypeName, LockedFunction>> = {};
  const remotes: Remote[] = [];

  async function build(type: PluginTypeName): Promise<void> {
    const home = homes[type];
    const target = home === 'workerd' ? 'worker' : home;
    const entry = join(import.meta.dirname, 'functions', `${type}.ts`);
    const built = await buildFunction({ entry, name: type, type, outDir: at('out'), targets: [target] });
    const manifest = manifestOf(type, built);
    const functionKey = newKey();
    const PLUGIN_FUNCTION = `${type}@live`;
    const PLUGIN_CALLERS = JSON.stringify({ keys: keys.map(publicOf) });
    const entryOf = { type, handles: [...manifest.handles], keys: [publicOf(functionKey)] };
    if (home === 'lambda') {
      lambda.parameters.set(`/soak/${type}`, JSON.stringify(functionKey));
      const env = { PLUGIN_FUNCTION, PLUGIN_CALLERS, PLUGIN_KEY_PARAMETER: `/soak/${type}` };
      const version = lambda.publish(type, {
        zip: await readFile(at(`out/${type}.lambda.zip`)),
        env,
        timeoutS: 10,
      });
      const accepts = [acceptedLambda(manifest, version)];
      locked[type] = { ...entryOf, target: 'lambda', address: lambda.arnOf(type), accepts };
      return;
    }
    const proxy = await startFaultProxy(certificate);
    const settings = { PLUGIN_FUNCTION, PLUGIN_CALLERS };
    const secret = JSON.stringify(functionKey);
    const started =
      home === 'workerd'
        ? inWorkerd(at(`out/${type}.worker.mjs`), settings, secret, certificate, listen(type))
        : inNode(at(`out/${type}.node.mjs`), { ...settings, PLUGIN_KEY: secret }, at, listen(type));
    const remote: Remote = {
      type,
      proxy,
      kill: started.kill,
      async start() {
        proxy.upstream = await started.start();
      },
    };
    await remote.start();
    remotes.push(remote);
    locked[type] = {
      ...entryOf,
      target: 'https',
      address: `https://localhost:${proxy.port}`,
      accepts: acceptedBuilds(manifest),
    };
  }
  for (const type of types) await build(type);

  const credentials = lambda.credentials;
  await folder.write(
    'aws-credentials',
    `[default]\naws_access_key_id = ${credentials.accessKeyId}\naws_secret_access_key = ${credentials.secretAccessKey}\n`,
  );
  const files: Files = { seq: 1, edition: {}, key: 0, timeoutMs: 3000 };

  async function lockText(seq: number): Promise<string> {
    const functions = types.flatMap((type) => {
      const entry = locked[type];
      if (entry === undefined) return [];
      const inputs = { [`edition@${files.edition[type] ?? 0}`]: '0'.repeat(64) };
      return [
        [
          `${type}@live`,
          { ...entry, accepts: entry.accepts.map((accepted) => ({ ...accepted, inputs })) },
        ] as const,
      ];
    });
    return await sealLock(lockWith(Object.fromEntries(functions), { seq }), [folder.signer]);
  }

  const ground: Ground = {
    executable: at('sftpgo-plugin-serverless'),
    configPath: folder.configPath,
    state: at('state'),
    remotes,
    lambda,
    files,
    at,
    lockText,
    spoil: (file, text) => folder.write(file, text),
    async write() {
      await folder.write('adapter.key.json', JSON.stringify(keys[files.key]));
      await folder.write('bundles.lock.json', await lockText(files.seq));
      await writeFile(
        folder.configPath,
        [
          'identity: adapter.key.json',
          'lock: { file: bundles.lock.json }',
          'trust: { file: signers.jwks.json }',
          'state: state',
          'https: { ca: ca.pem }',
          `aws: { credentialsFile: aws-credentials, endpoint: '${lambda.url}' }`,
          ...types.map(
            (type) => `${type}: { use: ${type}, timeout: ${files.timeoutMs}ms, ${sections[type]} }`,
          ),
          '',
        ].join('\n'),
      );
    },
    async close() {
      await Promise.all(remotes.map(({ kill }) => kill()));
      await Promise.all(remotes.map(({ proxy }) => proxy.close()));
      await lambda.close();
      await folder.remove();
    },
  };
  await ground.write();
  return ground;
}

/** Takes text in pieces; gives whole lines. */
function lines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const [...whole] = (rest + text).split('\n');
    rest = whole.pop() ?? '';
    whole.forEach(onLine);
  };
}

interface Runtime {
  kill(): Promise<void>;
  /** Gives the port. */
  start(): Promise<number>;
}

function inWorkerd(
  module: string,
  env: Readonly<Record<string, string>>,
  secret: string,
  tls: { readonly certPem: string; readonly keyPem: string },
  onOutput: (text: string) => void,
): Runtime {
  let running: Awaited<ReturnType<typeof startWorkerd>> | undefined;
  let port = 0;
  return {
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async start() {
      running = await startWorkerd({ module, env, secrets: { PLUGIN_KEY: secret }, tls, port, onOutput });
      port = running.port;
      return port;
    },
  };
}

function inNode(
  module: string,
  env: Readonly<Record<string, string>>,
  at: (file: string) => string,
  onOutput: (text: string) => void,
): Runtime {
  let child: ChildProcess | undefined;
  let port = 0;
  return {
    async kill() {
      if (child === undefined) return;
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      child = undefined;
      await ended;
    },
    async start() {
      const running = spawn(process.execPath, [module], {
        env: { ...env, PORT: String(port), TLS_CERT_FILE: at('ca.pem'), TLS_KEY_FILE: at('tls.key.pem') },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child = running;
      running.stdout.setEncoding('utf8').on('data', onOutput);
      const [first] = (await once(createInterface({ input: running.stdout }), 'line')) as [string];
      port = Number(new URL(JSON.parse(first).url).port);
      return port;
    },
  };
}
