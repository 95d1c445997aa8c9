import { readFileSync } from 'node:fs';
import { createLog, describeThrown } from './log.ts';
import { serve } from './node.ts';
import type { Plugin } from './plugin.ts';

/**
 * The program around a plugin in a built Node bundle; the author writes none. Reads the environment: PORT
 * (8443), HOST (127.0.0.1), TLS_CERT_FILE and TLS_KEY_FILE (both or none), the settings PLUGIN_*; a setting may
 * lie in a file instead, named by the same variable with _FILE. Ends on SIGTERM and SIGINT after the calls in
 * flight, with exit code 1 if it cannot listen or read a file.
 */
export async function main(plugin: Plugin<NodeJS.ProcessEnv>): Promise<void> {
  const log = createLog({ plugin: plugin.definition.type });
  try {
    const { env } = process;
    const cert = fileOf(env, 'TLS_CERT');
    const key = fileOf(env, 'TLS_KEY');
    // one without the other is a mistake, and must not end in plain HTTP
    if ((cert === undefined) !== (key === undefined)) {
      throw new Error('set both TLS_CERT_FILE and TLS_KEY_FILE, or none for plain HTTP behind a TLS proxy');
    }
    const served = await serve(plugin, {
      port: Number(env['PORT'] || 8443),
      host: env['HOST'] || '127.0.0.1',
      ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
      env: { ...env, ...settingsInFiles(env) },
    });
    log.info('listening', { url: served.url });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void served.close());
  } catch (thrown) {
    log.error('cannot serve', describeThrown(thrown));
    process.exitCode = 1;
  }
}

function settingsInFiles(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = ['FUNCTION', 'CALLERS', 'KEY', 'URL', 'REPORTERS', 'REPORT_TO'].map(
    (name) => `PLUGIN_${name}`,
  );
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = fileOf(env, name);
      return text === undefined ? [] : [[name, text.trim()]];
    }),
  );
}

function fileOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const path = env[`${name}_FILE`];
  return path ? readFileSync(path, 'utf8') : undefined;
}
