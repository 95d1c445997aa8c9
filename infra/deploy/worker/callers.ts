import { parseJwks } from '../../../proto/keys/parse.ts';
import { noCallers } from '../callers.ts';
import type { WorkerSettings } from './settings.ts';

/**
 * Who may call the function, as JSON for PLUGIN_CALLERS; undefined when the wrangler configuration has it as a
 * variable. Else from PLUGIN_CALLERS of the environment, as for Lambda: `deploy --callers` sets it.
 *
 * @throws PluginError CONFIG_INVALID without any; KEY_FILE_INVALID for something that is no set of public keys
 */
export function callersFor(settings: WorkerSettings, environment: NodeJS.ProcessEnv): string | undefined {
  if (settings.vars?.['PLUGIN_CALLERS'] !== undefined) return undefined;
  const given = environment['PLUGIN_CALLERS'];
  if (given) {
    const keys = parseJwks(parsed(given), 'the variable PLUGIN_CALLERS');
    return JSON.stringify({ keys });
  }
  throw noCallers();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
