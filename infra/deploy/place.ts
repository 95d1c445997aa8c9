import type { LockedFunction } from '../../proto/lock/schema.ts';

/** What tells where an entry of a lock runs. */
type Placed = Pick<LockedFunction, 'target' | 'address' | 'accepts'>;

/**
 * Are two entries of one deployable, with versions side by side: one Lambda function, by its ARN; one Worker, by its
 * name, whatever addresses lead to it? Versions of one have no meaning in another.
 */
export function isSamePlace(a: Placed, b: Placed): boolean {
  return placeOf(a) === placeOf(b);
}

/** The name of the Worker that an entry is of; undefined for any other, and where its versions do not name one. */
export function workerNameOf(entry: Omit<Placed, 'address'> | undefined): string | undefined {
  if (entry?.target !== 'worker') return undefined;
  const [name, ...others] = new Set(entry.accepts.map(({ config }) => config['worker']));
  return typeof name === 'string' && others.length === 0 ? name : undefined;
}

function placeOf(entry: Placed): string {
  return `${entry.target} ${workerNameOf(entry) ?? entry.address}`;
}
