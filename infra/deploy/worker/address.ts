import { PluginError } from '../../../proto/error.ts';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import type { WorkersApi } from './api.ts';
import type { WorkerSettings } from './settings.ts';

type SubdomainApi = Pick<WorkersApi, 'subdomain'>;
type Route = NonNullable<WorkerSettings['route']>;

/**
 * Where the adapter reaches a Worker, out of its wrangler configuration. The first of: the variable PLUGIN_URL (a proxy
 * in front of it), its first route or custom domain, its place under workers.dev.
 *
 * Returns a normalised URL. Throws CONFIG_INVALID when it has none, UNREACHABLE when the account's subdomain of
 * workers.dev cannot be read.
 */
export async function addressOf(settings: WorkerSettings, api: SubdomainApi): Promise<string> {
  const { file, vars = {}, workers_dev: onWorkersDev } = settings;
  const given = vars['PLUGIN_URL'];
  if (given !== undefined) return normalised(file, 'vars.PLUGIN_URL', String(given));
  const [first] = routesOf(settings);
  if (first !== undefined) return normalised(file, 'routes', hostOf(file, first));
  if (onWorkersDev !== true) {
    throw unusable(
      file,
      'it gives the Worker no address',
      'a custom domain in `routes`, or "workers_dev": true',
    );
  }
  const address = await onSubdomain(settings, api);
  if (address !== undefined) return address;
  throw unusable(
    file,
    'the account has no subdomain of workers.dev yet',
    'one, which you choose in the dashboard',
  );
}

/**
 * All addresses that lead to a Worker by its configuration, normalised: its routes and custom domains as far as they are
 * whole hosts, and its place under workers.dev. What a proxy in front of it is called is not among them.
 */
export async function routedTo(settings: WorkerSettings, api: SubdomainApi): Promise<readonly string[]> {
  const hosts = routesOf(settings).map((route) => wholeHost(route));
  const subdomain = settings.workers_dev === true ? await onSubdomain(settings, api) : undefined;
  return [...hosts, subdomain].flatMap((text) => {
    const address = normaliseAddress(text ?? '');
    return 'href' in address ? [address.href] : [];
  });
}

async function onSubdomain({ name }: WorkerSettings, api: SubdomainApi): Promise<string | undefined> {
  const subdomain = await api.subdomain();
  return subdomain === undefined ? undefined : `https://${name}.${subdomain}.workers.dev`;
}

function routesOf({ route, routes = [] }: WorkerSettings): Route[] {
  return [...routes, ...(route === undefined ? [] : [route])];
}

/** A function answers at the root of a host: `office.example.com`, or the route `office.example.com/*`. */
function hostOf(file: string, route: Route): string {
  const host = wholeHost(route);
  if (host !== undefined) return host;
  const pattern = typeof route === 'string' ? route : route.pattern;
  throw unusable(file, `the route ${pattern} is no address`, 'a whole host: office.example.com/*');
}

function wholeHost(route: Route): string | undefined {
  const { pattern, custom_domain: isDomain = false } = typeof route === 'string' ? { pattern: route } : route;
  const [, host] = /^(?:https:\/\/)?([^/*]+)(?:\/\*)?$/.exec(pattern) ?? [];
  return host !== undefined && (isDomain || pattern.endsWith('/*')) ? `https://${host}` : undefined;
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
