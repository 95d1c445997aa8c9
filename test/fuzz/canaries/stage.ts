import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { logFailure } from '../../../adapter/cli/log-failure.ts';
import type { SectionName } from '../../../adapter/config/schema.ts';
import { HclogWriter } from '../../../adapter/goplugin/server/hclog.ts';
import { prometheusText } from '../../../adapter/metrics/prometheus.ts';
import { RoleFigures } from '../../../adapter/metrics/role-figures.ts';
import { readStatuses } from '../../../adapter/metrics/status-socket.ts';
import { hostError } from '../../../adapter/role/host-error.ts';
import { Role } from '../../../adapter/role/role.ts';
import type { Trace } from '../../../adapter/shapes.ts';
import { createFetch } from '../../../functions/kit/define.ts';
import { sealLock } from '../../../proto/lock/seal.ts';
import { type PluginType, pluginTypes, traitsOf } from '../../../proto/plugin-types.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../../proto/signature/node.ts';
import { type FunctionServer, startFunction } from '../../support/function-server.ts';
import { lockedFunction } from '../../support/invoke.ts';
import { lockWith, makeRoleFolder, type RoleFolder } from '../../support/role-folder.ts';
import { carelessFunctions, type Deed } from './functions.ts';
import type { HostCall } from './inputs.ts';
import { canaryKey, findCanary } from './secrets.ts';

const nodeRuntime = { crypto: nodeCrypto, signingKey: nodeSigningKey, verifyingKey: nodeVerifyingKey };

export const types = Object.keys(pluginTypes) as SectionName[];

/** Everything that leaves the adapter, looked through as it comes. */
export interface Watch {
  /** Texts that showed a canary, with where; the first few. */
  readonly found: readonly string[];
  readonly texts: number;
  see(place: string, text: string): void;
}

/** A watch that has seen nothing. */
export function newWatch(): Watch {
  const found: string[] = [];
  let texts = 0;
  return {
    found,
    get texts() {
      return texts;
    },
    see(place, text) {
      texts += 1;
      const piece = findCanary(text);
      if (piece !== undefined && found.length < 20) found.push(`${place}: ${piece}`);
    },
  };
}

/** Functions of all types, the files of a host around them, and a collector of traces. */
export interface Ground {
  readonly folder: RoleFolder;
  readonly servers: readonly FunctionServer[];
  readonly config: string;
  close(): Promise<void>;
}

/** Starts the functions and writes the files; every key of this host is a canary. */
export async function startGround(
  watch: Watch,
  deedOf: (id: string) => Deed,
  arrived: (text: string) => void,
): Promise<Ground> {
  const folder = await makeRoleFolder('http://127.0.0.1:1');
  const adapterKey = canaryKey('adapter');
  await folder.write('adapter.key.json', JSON.stringify(adapterKey));
  const plugins = carelessFunctions(deedOf, arrived);
  const served = await Promise.all(
    types.map(async (type) => {
      const functionKey = canaryKey(`fn-${type.slice(0, 6)}`);
      const made = plugins[type];
      if (made === undefined) throw new Error(`no function for ${type}`);
      // as Node serves it: WebCrypto would cost as much as all the rest
      const plugin = { ...made, fetch: createFetch(made.definition, nodeRuntime) };
      const functionName = `my-${type}@live`;
      const server = await startFunction({ adapterKey, functionKey, functionName, plugin });
      const locked = { ...lockedFunction(server.url, functionKey), type, handles: [...plugin.handles] };
      return { functionName, server, locked };
    }),
  );
  const collector = createServer((incoming, outgoing) => {
    incoming.toArray().then(
      (chunks) => {
        watch.see('a span', Buffer.concat(chunks).toString());
        outgoing.end('{}');
      },
      () => outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const functions = Object.fromEntries(served.map(({ functionName, locked }) => [functionName, locked]));
  await folder.write('bundles.lock.json', await sealLock(lockWith(functions), [folder.signer]));
  const config = [
    'identity: adapter.key.json',
    'lock: { file: bundles.lock.json }',
    'trust: { file: signers.jwks.json }',
    'state: state',
    `tracing: { otlp: 'http://127.0.0.1:${(collector.address() as AddressInfo).port}' }`,
    'auth: { use: my-auth, send: full, ceiling: { fields: [email] } }',
    'kms: { use: my-kms, decryptCache: { ttl: 1m } }',
    'ipfilter: { use: my-ipfilter, onUnavailable: deny }',
    'notifier: { use: my-notifier, instance: node1 }',
    'eventsearcher: { use: my-eventsearcher }',
    'metadata: { use: my-metadata }',
    '',
  ].join('\n');
  await folder.write('serverless.yaml', config);
  return {
    folder,
    servers: served.map(({ server }) => server),
    config,
    async close() {
      await Promise.all(served.map(({ server }) => server.close()));
      collector.close();
      collector.closeAllConnections();
      await folder.remove();
    },
  };
}

/** Roles of some types in this process, asked as `serve` asks them. */
export interface Stage {
  /** How calls ended: our code, or `ok`. */
  readonly endings: ReadonlyMap<string, number>;
  /** One call; what the host gets of it, an error's text, is watched. */
  ask(call: HostCall, id: string, timeoutMs: number): Promise<void>;
  /** Reads the files again, as the poll does. */
  refresh(): Promise<void>;
  /** Watches what the figures, the status and the state folder say. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** Opens roles on a configuration, with the log at its most talkative. */
export function openStage(configPath: string, watch: Watch, opened: readonly SectionName[] = types): Stage {
  const endings = new Map<string, number>();
  const log = new HclogWriter({
    level: 'trace',
    sink: {
      write(text, done) {
        watch.see('stderr', text);
        done();
      },
      on: () => undefined,
    },
  });
  const roles = new Map(
    opened.map((type) => {
      const figures = new RoleFigures(type, log);
      const role = new Role({ type, configPath, log, figures, pollMs: 3_600_000 });
      role.start();
      return [type, { role, figures }] as const;
    }),
  );

  return {
    endings,
    async ask({ type, method, input }, id, timeoutMs) {
      const one = roles.get(type);
      if (one === undefined) throw new Error(`no role for ${type}`);
      const row: PluginType = pluginTypes[type];
      const traits = traitsOf(row, method);
      const trace: Trace = {};
      const startedMs = performance.now();
      const deadlineMs = startedMs + timeoutMs;
      const { signal } = new AbortController();
      let error: unknown;
      try {
        await one.role.handle({ method, traits, input, id, deadlineMs, signal, trace });
      } catch (thrown) {
        error = thrown;
        logFailure(log, type, { rpc: method.name, call: id }, { error, input });
        watch.see('a gRPC status', hostError(error, id, traits).message);
      }
      one.figures.count({ rpc: method.name, ms: performance.now() - startedMs, trace, error });
      const ending = error === undefined ? 'ok' : String(Object(error).code ?? error);
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
    },
    async refresh() {
      for (const { role } of roles.values()) await role.refresh();
    },
    async look() {
      for (const { figures } of roles.values()) {
        watch.see('metrics', prometheusText(figures.metrics.samples()));
      }
      const state = join(configPath, '../state');
      watch.see('status', JSON.stringify(await readStatuses(state)));
      for (const entry of await readdir(state, { recursive: true, withFileTypes: true }).catch(() => [])) {
        if (entry.isFile()) {
          const path = join(entry.parentPath, entry.name);
          watch.see(`the file ${entry.name}`, await readFile(path, 'latin1'));
        }
      }
    },
    async close() {
      for (const { role, figures } of roles.values()) {
        await role.close();
        await figures.close();
      }
    },
  };
}
