import { PluginError } from '../../../proto/error.ts';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import type { DeployFunction } from '../cloud.ts';
import { workerNameOf } from '../place.ts';
import { addressOf, routedTo } from './address.ts';
import type { Session } from './session.ts';

type Configured = Pick<Session, 'settings' | 'api'>;

/**
 * Before anything is changed: another address must not take away the one that the host calls. Routes and workers.dev
 * are of a Worker and not of its versions: they change for all versions at once, while the host goes from one address
 * to the other when it takes the lock. So every version that the lock accepts has to answer at both until then.
 *
 * @throws PluginError CONFIG_INVALID with what to do instead
 */
export async function checkMove(
  { settings, api }: Configured,
  { id, locked }: Pick<DeployFunction, 'id' | 'locked'>,
): Promise<void> {
  if (locked === undefined) return;
  const { file, name } = settings;
  const [address, routed] = [await addressOf(settings, api), await routedTo(settings, api)];
  const before = locked.address;
  if (workerNameOf(locked) !== name) {
    if (![address, ...routed].includes(before)) return;
    throw unfit(
      `${file}: Worker ${name} would take over ${before}, where the host calls ${id} until it has another lock`,
      'another address for another Worker: the host then goes from one to the other by taking the lock',
      'Give it one',
    );
  }
  if (address === before) return;
  if (!locked.accepts.every((accepted) => answersAt(accepted, address, routed))) {
    throw unfit(
      `${file}: versions of ${id} in the lock do not answer calls to ${address}`,
      'an address at which old and new versions answer, until the calls have moved',
      `Give the Worker another name, so that old and new are two Workers; or go back to ${before}`,
    );
  }
  if (routed.includes(before)) return;
  throw unfit(
    `${file}: ${id} would not answer any more at ${before}, where the host calls it until it has the lock with ${address}`,
    'both addresses until then',
    'Leave the old one in the file (as a further route, or "workers_dev": true), and take it out when the host has the lock',
  );
}

/**
 * Before traffic or addresses of a Worker are changed: the configuration has to be of the Worker in the lock, and keep
 * its address.
 *
 * @throws PluginError CONFIG_INVALID
 */
export async function checkLocked(
  { settings, api }: Configured,
  id: string,
  locked: LockedFunction,
): Promise<void> {
  const { file, name } = settings;
  const worker = workerNameOf(locked) ?? name;
  const addresses = [await addressOf(settings, api), ...(await routedTo(settings, api))];
  if (worker === name && addresses.includes(locked.address)) return;
  throw unfit(
    worker === name
      ? `${file}: ${id} would not answer any more at ${locked.address}, the address in the lock`
      : `${file} is of Worker ${name}; in the lock ${id} is Worker ${worker}`,
    'the configuration that was deployed',
    'Put it back, or run deploy without --resume first',
  );
}

/** Does a version answer calls to an address? It compares it with its PLUGIN_URL, or else with where a call came in. */
function answersAt({ config }: AcceptedVersion, address: string, routed: readonly string[]): boolean {
  const { text: own } = Object(config['binding.PLUGIN_URL']);
  if (typeof own !== 'string') return routed.includes(address);
  const expected = normaliseAddress(own);
  return 'href' in expected && expected.href === address;
}

function unfit(happened: string, expected: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened,
    expected,
    remedy: `${remedy}: docs/deploy.md, "Another address".`,
  });
}
