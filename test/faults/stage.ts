import { join } from 'node:path';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { type Certificate, createCertificate } from '../../adapter/goplugin/server/certificate.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type FunctionServer, startFunction } from '../support/function-server.ts';
import { makeRoleFolder, type RoleFolder } from '../support/role-folder.ts';
import { type WrongClock, wrongClock } from './clock.ts';
import { columnCases, columnNames } from './columns.ts';
import type { Word } from './functions/addresses.ts';
import type { Column } from './matrix.ts';
import { type FaultProxy, startFaultProxy } from './proxy.ts';

/** How long a section lets its function take: the longest wait of a row that ends in DEADLINE. */
export const timeoutMs = 5000;

/** One adapter process as SFTPGo runs it, its function, and the proxy between them. */
export interface Role {
  readonly column: Column;
  readonly folder: RoleFolder;
  readonly proxy: FaultProxy;
  readonly server: FunctionServer;
  readonly adapter: PluginClient;
  /** Its log so far. */
  readonly lines: readonly string[];
  /** Ids of calls that its log names. */
  readonly loggedCalls: readonly unknown[];
  ask(word?: Word): Promise<unknown>;
  /** Writes its configuration; `more` are further keys of its section. */
  configure(more?: string): Promise<void>;
  /** Seals a lock of its function with this seq. */
  lock(seq: number): Promise<void>;
}

/** A role for each column. */
export interface Stage {
  readonly roles: readonly Role[];
  readonly certificate: Certificate;
  readonly clock: WrongClock;
  /** While this file exists, `function.test` is the address that stands in it, and does not resolve if it is empty. */
  readonly dnsBroken: string;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly columns?: readonly Column[];
  /** Of the sections; absent: {@link timeoutMs} for each. */
  readonly timeoutMs?: (column: Column) => number;
  /** Further keys of the sections, by column. */
  readonly sections?: Readonly<Partial<Record<Column, string>>>;
  /** Certificates beside the functions' own that adapters trust. */
  readonly trusted?: readonly Certificate[];
  /** State folder of a column; absent: one in its own folder. */
  readonly state?: (column: Column) => string;
  /** Called before the adapter of a role starts: to spoil its files, for one. */
  readonly before?: (folder: RoleFolder) => Promise<void>;
  readonly cmd?: (
    executable: string,
    args: readonly string[],
  ) => readonly [cmd: string, args: readonly string[]];
}

/** Starts functions behind TLS and proxies, and the built executable for each of them. */
export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const certificate = createCertificate({ names: ['function.test', 'localhost'], authority: true });
  const clock = wrongClock();
  const common = await makeRoleFolder('http://127.0.0.1:1');
  const executable = common.at('sftpgo-plugin-serverless');
  const dnsBroken = common.at('dns-is-broken');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);

  const authorities = [certificate, ...(options.trusted ?? [])].map(({ certPem }) => certPem).join('');

  async function start(column: Column): Promise<Role> {
    const { type, plugin, section, ask } = columnCases[column];
    const proxy = await startFaultProxy(certificate);
    const url = `https://function.test:${proxy.port}`;
    const folder = await makeRoleFolder(url);
    const server = await startFunction({
      ...folder,
      plugin: clock.around(plugin),
      publicUrl: url,
      tls: { cert: certificate.certPem, key: certificate.keyPem },
    });
    proxy.upstream = Number(new URL(server.url).port);
    const lines: string[] = [];
    const loggedCalls: unknown[] = [];
    const configure = async (more = options.sections?.[column] ?? '') => {
      const keys = [
        'use: office',
        `timeout: ${options.timeoutMs?.(column) ?? timeoutMs}ms`,
        section,
        more,
      ].filter((key) => key !== '');
      const config = [
        'identity: adapter.key.json',
        'lock: { file: bundles.lock.json }',
        'trust: { file: signers.jwks.json }',
        'https: { ca: ca.pem }',
        `state: ${options.state?.(column) ?? 'state'}`,
        `${type}: { ${keys.join(', ')} }`,
      ];
      await folder.write('serverless.yaml', `${config.join('\n')}\n`);
    };
    const lock = async (seq: number) =>
      await folder.lock({ seq }, { type, handles: [...plugin.handles], address: url });
    await folder.write('ca.pem', authorities, 0o644);
    await configure();
    await lock(1);
    await options.before?.(folder);
    const args = ['serve', '--config', folder.configPath];
    const [cmd, cmdArgs] = options.cmd?.(executable, args) ?? [executable, args];
    const [name, value] = pluginTypes[type].cookie;
    const adapter = await launch({
      cmd,
      args: cmdArgs,
      env: {
        SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath,
        NODE_OPTIONS: `--require ${join(import.meta.dirname, 'broken-dns.cjs')}`,
        BROKEN_DNS: dnsBroken,
      },
      cookie: { name, value },
      versions: [1],
      onLog(level, message, fields) {
        lines.push(`${level} ${message}`);
        if ('call' in fields) loggedCalls.push(fields['call']);
      },
    });
    return {
      column,
      folder,
      proxy,
      server,
      adapter,
      lines,
      loggedCalls,
      ask: (word) => ask(adapter, word),
      configure,
      lock,
    };
  }

  const started = await Promise.allSettled((options.columns ?? columnNames).map(start));
  const roles = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stage: Stage = {
    roles,
    certificate,
    clock,
    dnsBroken,
    async close() {
      for (const { adapter, proxy, server, folder } of roles) {
        await adapter.kill();
        await proxy.close();
        await server.close();
        await folder.remove();
      }
      clock.restore();
      await common.remove();
    },
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed) {
    await stage.close();
    throw failed.reason;
  }
  return stage;
}
