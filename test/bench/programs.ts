import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type PluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import type { GoHost, LaunchedPlugin } from '../host/driver.ts';
import type { Program } from './measure.ts';

const root = join(import.meta.dirname, '../..');

/** The least plugin on grpc-js, as one bundle in `folder`. */
export async function baselineProgram(folder: string): Promise<Program> {
  return await bundledProgram(folder, 'grpc-plugin');
}

/** A bare plugin of the folder `baseline`, as one bundle in `folder`. */
export async function bundledProgram(
  folder: string,
  name: 'grpc-plugin' | 'relay-plugin',
  args: readonly string[] = [],
): Promise<Program> {
  // with a line of its own for the interpreter: a host kills the first process whose executable is the path it starts
  const outfile = join(folder, `${name}.cjs`);
  await build({
    entryPoints: [join(import.meta.dirname, `baseline/${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    mainFields: ['module', 'main'],
    logLevel: 'warning',
    banner: { js: `#!${process.execPath}` },
  });
  await chmod(outfile, 0o755);
  return { cmd: outfile, args, env: {} };
}

/** The executable as SFTPGo starts it. */
export function adapterProgram(configPath: string, clientCert: string | undefined): Program {
  const [name, value] = pluginTypes.ipfilter.cookie;
  return {
    cmd: join(root, 'dist/sftpgo-plugin-serverless'),
    args: ['serve', '--config', configPath],
    env: {
      [name]: value,
      PLUGIN_PROTOCOL_VERSIONS: '1',
      SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath,
      ...(clientCert === undefined ? {} : { PLUGIN_CLIENT_CERT: clientCert }),
    },
  };
}

/** Starts a plugin through a Go host, as SFTPGo does. */
export async function launch(
  host: GoHost,
  { cmd, args, env }: Program,
  type: PluginTypeName = 'ipfilter',
): Promise<LaunchedPlugin> {
  const pairs = Object.entries(env).map((pair) => pair.join('='));
  return await host.launch({ type, cmd, args, env: pairs, autoMtls: false });
}
