import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from '../../functions/kit/index.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import { startFunction } from '../support/function-server.ts';
import { lockedFunction } from '../support/invoke.ts';
import { newKey } from '../support/keys.ts';
import { lockWith, makeRoleFolder } from '../support/role-folder.ts';
import { type Arrivals, newArrivals } from './plugins/arrivals.ts';
import { authPlugin } from './plugins/auth.ts';
import { eventsearcherPlugin } from './plugins/eventsearcher.ts';
import { ipfilterPlugin } from './plugins/ipfilter.ts';
import { kmsPlugin } from './plugins/kms.ts';
import { metadataPlugin } from './plugins/metadata.ts';
import { notifierPlugin } from './plugins/notifier.ts';

/** A function of each type behind one lock and one configuration, and how SFTPGo starts the adapter for them. */
export interface Roles {
  readonly cmd: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly sha256: string;
  readonly configPath: string;
  /** What reached the function of a type. */
  readonly arrivals: Readonly<Record<PluginTypeName, Arrivals>>;
  /** The bodies of the requests that went to the function of a type. */
  wire(type: PluginTypeName): readonly string[];
  close(): Promise<void>;
}

type Makers = Readonly<Record<PluginTypeName, (arrivals: Arrivals) => Plugin<object>>>;

const recording: Makers = {
  auth: authPlugin,
  kms: kmsPlugin,
  ipfilter: ipfilterPlugin,
  notifier: notifierPlugin,
  eventsearcher: eventsearcherPlugin,
  metadata: metadataPlugin,
};

/** What each section has beside `use`. */
const usualSections: Readonly<Partial<Record<PluginTypeName, string>>> = {
  auth: 'ceiling: { fields: [email] }',
  ipfilter: 'onUnavailable: deny',
  notifier: 'instance: node1',
};

/** What differs from a recording function of each type. */
export interface RolesOptions {
  /** Types that there are; absent: all. */
  readonly types?: readonly PluginTypeName[];
  readonly plugins?: Partial<Makers>;
  /** What a section has beside `use`, as YAML between braces. */
  readonly sections?: Readonly<Partial<Record<PluginTypeName, string>>>;
}

/**
 * Starts the functions in this process, so that a test sees what their handlers get, and writes the files of a host
 * around them. Needs `npm run build` first.
 */
export async function startRoles(options: RolesOptions = {}): Promise<Roles> {
  const { types = Object.keys(pluginTypes) as PluginTypeName[] } = options;
  const makers = { ...recording, ...options.plugins };
  const sections = { ...usualSections, ...options.sections };
  const cmd = join(import.meta.dirname, '../../dist/sftpgo-plugin-serverless');
  if (!existsSync(cmd)) throw new Error(`${cmd} is not there: run npm run build`);
  const folder = await makeRoleFolder('http://127.0.0.1:1');
  const served = await Promise.all(
    types.map(async (type) => {
      const arrivals = newArrivals();
      const plugin = makers[type](arrivals);
      const functionKey = newKey();
      const functionName = `my-${type}@live`;
      const server = await startFunction({
        adapterKey: folder.adapterKey,
        functionKey,
        functionName,
        plugin,
      });
      const locked = { ...lockedFunction(server.url, functionKey), type, handles: [...plugin.handles] };
      return { type, arrivals, functionName, server, locked };
    }),
  );
  const functions = Object.fromEntries(served.map(({ functionName, locked }) => [functionName, locked]));
  await folder.write('bundles.lock.json', await sealLock(lockWith(functions), [folder.signer]));
  await folder.write(
    'serverless.yaml',
    [
      'identity: adapter.key.json',
      'lock: { file: bundles.lock.json }',
      'trust: { file: signers.jwks.json }',
      ...types.map((type) => `${type}: { use: my-${type}, ${sections[type] ?? ''} }`),
      '',
    ].join('\n'),
  );
  return {
    cmd,
    args: ['serve', '--config', folder.configPath],
    env: [`SFTPGO_PLUGIN_SERVERLESS_NODE=${process.execPath}`],
    sha256: createHash('sha256').update(readFileSync(cmd)).digest('hex'),
    configPath: folder.configPath,
    arrivals: Object.fromEntries(served.map(({ type, arrivals }) => [type, arrivals])) as Roles['arrivals'],
    wire: (type) =>
      served
        .filter((one) => one.type === type)
        .flatMap(({ server }) => server.requests.map(({ body }) => Buffer.from(body).toString())),
    async close() {
      await Promise.all(served.map(({ server }) => server.close()));
      await folder.remove();
    },
  };
}
