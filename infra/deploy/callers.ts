import { existsSync } from 'node:fs';
import { readPublicKeys } from '../../adapter/config/key-files.ts';
import { PluginError } from '../../proto/error.ts';

/**
 * Who may call the functions, as JSON for PLUGIN_CALLERS: the public keys of a file in their shortest form, since the
 * same keys have to make the same setting, and so the same version. Without the file, what PLUGIN_CALLERS of the
 * environment says; undefined without either: the settings of a function may say it.
 *
 * `isNamed`: the file was asked for, so it must be there.
 *
 * @throws PluginError KEY_FILE_INVALID
 */
export async function readCallers(
  file: string,
  { isNamed, env }: { readonly isNamed: boolean; readonly env: NodeJS.ProcessEnv },
): Promise<string | undefined> {
  if (existsSync(file)) {
    const { keys } = await readPublicKeys(file, 'the file of callers', 'KEY_FILE_INVALID');
    return JSON.stringify({ keys: keys.map(({ kty, crv, x }) => ({ kty, crv, x })) });
  }
  if (!isNamed) return env['PLUGIN_CALLERS'] || undefined;
  throw new PluginError('KEY_FILE_INVALID', {
    happened: `--callers ${file} is not there`,
    expected: 'the public keys of the adapters: what `keys create` wrote as adapter.jwks.json',
    remedy: 'Copy it from the SFTPGo machine, or correct the path.',
  });
}

/** CONFIG_INVALID: neither a file, nor the environment, nor the settings of a function say who may call it. */
export function noCallers(): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: 'nobody may call the function: there is no PLUGIN_CALLERS',
    expected: 'the public keys of the adapters: the content of adapter.jwks.json',
    remedy:
      'Copy adapter.jwks.json from the SFTPGo machine (`keys create` made it there) beside serverless.yml, or name it by --callers.',
  });
}
