import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';

/**
 * The functions of a lock with one of them changed, added, or (entry undefined) taken out. With `keepOld`, the
 * versions accepted so far stay accepted, in front of the new ones, and so do the keys: old and new may answer while
 * traffic shifts.
 */
export function changeFunction(
  functions: Lock['functions'],
  name: string,
  entry: LockedFunction | undefined,
  { keepOld = false }: { readonly keepOld?: boolean } = {},
): Lock['functions'] {
  const { [name]: before, ...others } = functions;
  if (entry === undefined) return others;
  if (!keepOld || before === undefined) return { ...functions, [name]: entry };
  const versions = new Set(entry.accepts.map(({ version }) => version));
  const kept = before.accepts.filter(({ version }) => !versions.has(version));
  return {
    ...functions,
    [name]: { ...entry, accepts: [...kept, ...entry.accepts], keys: bothKeys(before, entry) },
  };
}

/** What another target ran has no key that could sign here: a local function's is made at each start. */
function bothKeys(before: LockedFunction, entry: LockedFunction): LockedFunction['keys'] {
  if (before.target !== entry.target) return entry.keys;
  const added = new Set(entry.keys.map(({ x }) => x));
  return [...before.keys.filter(({ x }) => !added.has(x)), ...entry.keys];
}
