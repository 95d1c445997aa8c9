import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPublicKeys } from '../../../adapter/config/key-files.ts';
import { PluginError } from '../../../proto/error.ts';
import { parseJwks } from '../../../proto/keys/parse.ts';
import type { WorkerSettings } from './settings.ts';

/**
 * Who may call the function, as JSON for PLUGIN_CALLERS; undefined when the wrangler configuration has it as a
 * variable. Else from the environment (PLUGIN_CALLERS, as for Lambda), else from `adapter.jwks.json` in the project.
 *
 * @throws PluginError CONFIG_INVALID without any; KEY_FILE_INVALID for something that is no set of public keys
 */
export async function callersFor(
  settings: WorkerSettings,
  environment: NodeJS.ProcessEnv,
  folder: string,
): Promise<string | undefined> {
  if (settings.vars?.['PLUGIN_CALLERS'] !== undefined) return undefined;
  const given = environment['PLUGIN_CALLERS'];
  if (given) {
    const keys = parseJwks(parsed(given), 'the variable PLUGIN_CALLERS');
    return JSON.stringify({ keys });
  }
  const file = join(folder, 'adapter.jwks.json');
  if (existsSync(file)) {
    const { keys } = await readPublicKeys(file, 'the file of adapter keys', 'KEY_FILE_INVALID');
    return JSON.stringify({ keys });
  }
  throw new PluginError('CONFIG_INVALID', {
    happened: 'nobody may call the function: there is no PLUGIN_CALLERS',
    expected: 'the public keys of the adapters: the content of adapter.jwks.json',
    remedy:
      'Copy adapter.jwks.json from the SFTPGo machine (`keys create` made it there) beside serverless.yml, or export PLUGIN_CALLERS.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
