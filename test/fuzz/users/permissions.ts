import type { Value } from './hosts.ts';

/** The permissions of a user as SFTPGo applies them. */
export interface Permissions {
  /** Does nobody gain anything but `given` wherever he goes, compared with `before`? */
  areWithin(before: Permissions, given: readonly string[]): boolean;
  /** Where they are set. */
  readonly paths: readonly string[];
  /** What may be done at a path: of several patterns that fit, SFTPGo takes any. */
  at(path: string): ReadonlySet<string>;
}

/**
 * Reads the field `permissions`. At a path the nearest entry above it counts, by name or as a pattern of Go's
 * path.Match, and without any the one of "/" (SFTPGo's User.GetPermissionsForPath).
 */
export function permissionsOf(field: Value | undefined): Permissions {
  const entries = new Map(
    Object.entries(Object(field) as Record<string, unknown>).map(([path, names]) => [
      path,
      Array.isArray(names) ? names.map(String) : [],
    ]),
  );
  const at = (path: string): ReadonlySet<string> => {
    if (entries.size === 1 && entries.has('/')) return new Set(entries.get('/'));
    for (const dir of upwards(path)) {
      const named = entries.get(dir);
      if (named) return new Set(named);
      const fitting = [...entries].filter(([pattern]) => fits(pattern, dir));
      if (fitting.length > 0) return new Set(fitting.flatMap(([, names]) => names));
    }
    return new Set(entries.get('/'));
  };
  const paths = [...entries.keys()];
  return {
    paths,
    at,
    areWithin: (before, given) =>
      [...paths, ...before.paths].flatMap(probes).every((path) => {
        const had = before.at(path);
        return [...at(path)].every((name) => covers(had, name) || covers(new Set(given), name));
      }),
  };
}

/** Where an entry can make a difference: there, below, and at what a pattern stands for. */
function probes(path: string): string[] {
  const plain = path.replaceAll('*', 'z');
  return [path, plain, `${plain === '/' ? '' : plain}/deep/er`];
}

function upwards(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return [...parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`), '/'];
}

function fits(pattern: string, dir: string): boolean {
  if (!pattern.includes('*')) return false;
  const source = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('[^/]*')}$`).test(dir);
}

function covers(granted: ReadonlySet<string>, name: string): boolean {
  const whole = /^(rename|delete)_(?:files|dirs)$/.exec(name)?.[1];
  return granted.has('*') || granted.has(name) || (whole !== undefined && granted.has(whole));
}
