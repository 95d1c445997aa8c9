import { isArray, isObject, type Json } from '../../json/tree.ts';
import { permissionNames } from './config.ts';

/** Permissions by virtual path. SFTPGo takes those of the nearest path above, and knows patterns (`/team*`). */
type Permissions = ReadonlyMap<string, readonly string[]>;

const known: ReadonlySet<string> = new Set(permissionNames);

/**
 * Do permissions change within what the ceiling and the host's own record give?
 *
 * A new or changed path may carry what the ceiling names and what the host has at that very path. Removing a path
 * lets another one decide there, and a pattern makes it hard to say which: then every path left is compared, and a
 * user with groups keeps the path, since theirs are not known here.
 */
export function permissionsWithin(
  before: Json | undefined,
  after: Json | undefined,
  ceiling: readonly string[],
  hasGroups: boolean,
): boolean {
  const old = permissionsOf(before);
  const now = permissionsOf(after);
  const within = (granted: readonly string[], path: string) =>
    granted.every((name) => covers(ceiling, name) || covers(old.get(path) ?? [], name));
  for (const [path, granted] of now) {
    if (same(granted, old.get(path))) continue;
    if (!isNormal(path) || !granted.every((name) => known.has(name)) || !within(granted, path)) return false;
  }
  const removed = [...old.keys()].filter((path) => !now.has(path));
  if (removed.length > 0 && hasGroups && !ceiling.includes('*')) return false;
  return removed.every((path) => [...now.values()].every((granted) => within(granted, path)));
}

function permissionsOf(value: Json | undefined): Permissions {
  if (!isObject(value)) return new Map();
  return new Map(
    [...value].map(([path, list]) => [
      path,
      isArray(list) ? list.filter((name) => typeof name === 'string') : [],
    ]),
  );
}

/** `rename` is `rename_files` and `rename_dirs`, `delete` likewise. */
function covers(granted: readonly string[], name: string): boolean {
  return (
    granted.includes('*') ||
    granted.includes(name) ||
    (/^(?:rename|delete)_/.test(name) && granted.includes(name.slice(0, 6)))
  );
}

function same(a: readonly string[], b: readonly string[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((name, at) => name === b[at]);
}

function isNormal(path: string): boolean {
  return path === '/' || /^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/.test(path);
}
