import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { canonical } from './configuration.ts';

/** Cloudflare's domain of Workers without a domain of their own. */
const workersDomain = /^([a-z0-9-]+)\.[a-z0-9-]+\.workers\.dev$/;
/** Of a version id: Cloudflare puts them before the Worker's name. */
const prefixLength = 8;
/** RFC 1035 section 2.3.4. */
const maxLabelLength = 63;

/**
 * Where Cloudflare serves one version of a Worker and no other: `<first 8 of its id>-<name>.<subdomain>.workers.dev`
 * (https://developers.cloudflare.com/workers/versions-and-deployments/preview-urls/).
 *
 * Takes the function's entry in the lock and its normalised address; returns a function from version id to origin. Throws CONFIG_INVALID, with
 * the reason, where there is no such address.
 */
export function versionUrls(
  name: string,
  locked: LockedFunction,
  address: string,
): (version: string) => string {
  const { hostname } = new URL(address);
  const [, label] = workersDomain.exec(hostname) ?? [];
  if (label === undefined) {
    throw refused(name, `its address in the lock, ${address}, is not on workers.dev`, onWorkersDev);
  }
  for (const { version, config } of locked.accepts) {
    const worker = config['worker'];
    if (worker !== undefined && worker !== label) {
      throw refused(name, `${address} is not the address of the Worker ${canonical(worker)}`, onWorkersDev);
    }
    const object = Object.entries(config).find(([field, value]) => isOwnDurableObject(field, value, label));
    if (object !== undefined) {
      const why = `version ${version} implements the Durable Object of ${object[0]}, and Cloudflare makes no version URLs for such a Worker`;
      throw refused(name, why, 'Remove `pin`; the timer of `cloudflare.watch` looks at what is deployed.');
    }
  }
  if (label.length + prefixLength + 1 > maxLabelLength) {
    throw refused(
      name,
      `the name of the Worker, ${label}, is too long to stand behind a version id`,
      onWorkersDev,
    );
  }
  return (version) => address.replace('//', `//${version.slice(0, prefixLength)}-`);
}

const onWorkersDev =
  'Lock the function with its address https://<name>.<subdomain>.workers.dev and with preview URLs on, or remove `pin`.';

/** A binding to an object class of another script is no hindrance. */
function isOwnDurableObject(field: string, value: unknown, worker: string): boolean {
  if (!field.startsWith('binding.') || typeof value !== 'object' || value === null) return false;
  const { type, script_name: script } = value as { type?: unknown; script_name?: unknown };
  return type === 'durable_object_namespace' && (script === undefined || script === '' || script === worker);
}

function refused(name: string, why: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `${name} cannot be called with \`pin: version-url\`: ${why}`,
    expected: 'a Worker that Cloudflare gives each version of an address of its own',
    remedy,
  });
}
