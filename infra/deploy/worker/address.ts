import { PluginError } from '../../../proto/error.ts';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import type { WorkersApi } from './api.ts';
import type { WorkerSettings } from './settings.ts';

/**
 * Where the adapter reaches a Worker, out of its wrangler configuration. The first of: the variable PLUGIN_URL (a proxy
 * in front of it), its first route or custom domain, its place under workers.dev.
 *
 * Returns a normalised URL. Throws CONFIG_INVALID when it has none, UNREACHABLE when the account's subdomain of
 * workers.dev cannot be read.
 */
export async function addressOf(
  settings: WorkerSettings,
  api: Pick<WorkersApi, 'subdomain'>,
): Promise<string> {
  const { file, name, vars = {}, workers_dev: onWorkersDev, route, routes = [] } = settings;
  const given = vars['PLUGIN_URL'];
  if (given !== undefined) return normalised(file, 'vars.PLUGIN_URL', String(given));
  const [first] = [...routes, ...(route === undefined ? [] : [route])];
  if (first !== undefined) {
    const pattern = typeof first === 'string' ? first : first.pattern;
    const isDomain = typeof first !== 'string' && first.custom_domain === true;
    return normalised(file, 'routes', hostOf(file, pattern, isDomain));
  }
  if (onWorkersDev !== true) {
    throw unusable(
      file,
      'it gives the Worker no address',
      'a custom domain in `routes`, or "workers_dev": true',
    );
  }
  const subdomain = await api.subdomain();
  if (subdomain !== undefined) return `https://${name}.${subdomain}.workers.dev`;
  throw unusable(
    file,
    'the account has no subdomain of workers.dev yet',
    'one, which you choose in the dashboard',
  );
}

/** A function answers at the root of a host: `office.example.com`, or the route `office.example.com/*`. */
function hostOf(file: string, pattern: string, isDomain: boolean): string {
  const [, host] = /^(?:https:\/\/)?([^/*]+)(?:\/\*)?$/.exec(pattern) ?? [];
  if (host !== undefined && (isDomain || pattern.endsWith('/*'))) return `https://${host}`;
  throw unusable(file, `the route ${pattern} is no address`, 'a whole host: office.example.com/*');
}

function normalised(file: string, field: string, text: string): string {
  const address = normaliseAddress(text);
  if ('href' in address) return address.href;
  throw unusable(file, `${field} is no address`, address.problem.replace(/^expected /, ''));
}

function unusable(file: string, happened: string, expected: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `${file}: ${happened}`,
    expected,
    remedy: 'Correct it: docs/deploy.md explains every line.',
  });
}
