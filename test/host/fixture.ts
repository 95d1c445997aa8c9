import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDeployment } from '../runtimes/deployment.ts';

/** A function in workerd, and the folder an adapter serves it from, as an administrator would set it up. */
export interface HostFixture {
  /** The built executable. */
  readonly cmd: string;
  /** `serve --config …`. */
  readonly args: readonly string[];
  /** What the adapter's process may see besides go-plugin's variables: where Node is, and nothing else. */
  readonly environment: { readonly SFTPGO_PLUGIN_SERVERLESS_NODE: string };
  /** The same as `NAME=value`. */
  readonly env: readonly string[];
  /** SHA-256 of the executable, hexadecimal. */
  readonly sha256: string;
  /** The config file; tests break and mend it. */
  readonly configPath: string;
  close(): Promise<void>;
}

/** Addresses and the verdict that office.ts gives each of them over every protocol. */
export const addresses = {
  allowed: ['192.0.2.7', '::ffff:192.0.2.8', '2001:db8:1::7'],
  denied: ['198.51.100.7', '2001:db8:2::7', '192.0.3.1', '::1'],
  allowedLoopback: '127.0.0.2',
  deniedLoopback: '127.0.0.3',
} as const;

/** Starts the function behind its own TLS and locks it. Needs `npm run build` first. */
export async function startFixture(): Promise<HostFixture> {
  const cmd = join(import.meta.dirname, '../../dist/sftpgo-plugin-serverless');
  if (!existsSync(cmd)) throw new Error(`${cmd} is not there: run npm run build`);
  const deployment = await prepareDeployment({ entry: join(import.meta.dirname, 'office.ts') });
  const workerd = await deployment.start();
  // without alwaysAllow's default the tests' own loopback addresses are asked about, too
  await deployment.lockAt(workerd.url, { section: 'alwaysAllow: []' });
  const environment = { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
  return {
    cmd,
    args: ['serve', '--config', deployment.configPath],
    environment,
    env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    sha256: createHash('sha256').update(readFileSync(cmd)).digest('hex'),
    configPath: deployment.configPath,
    close: () => deployment.close(),
  };
}
