import { accept, type LoginAnswer, type UserRecord } from '../kit/index.ts';
import type { KnownUser } from './user.ts';

/**
 * Lets a user in with its settings. Where SFTPGo's record has them already, the record stays untouched: each change is
 * a write to SFTPGo's database.
 */
export function grant(
  { settings }: KnownUser,
  { user, isNew }: { readonly user: UserRecord; readonly isNew: boolean },
  offered: UserRecord = {},
): LoginAnswer {
  const patch = { ...settings, ...offered };
  if (isNew) return accept.merge({ status: 1, ...patch });
  return changes(patch, user) ? accept.merge(patch) : accept.unchanged();
}

/** Would this merge patch (RFC 7396) change the value? */
function changes(patch: unknown, value: unknown): boolean {
  if (patch === null) return value !== undefined && value !== null;
  if (!isObject(patch)) return !same(patch, value);
  return !isObject(value) || Object.entries(patch).some(([key, inner]) => changes(inner, value[key]));
}

function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => same(value, b[index]));
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => same(a[key], b[key]));
  }
  // SFTPGo's integers beyond 2^53 are bigints, those of a list numbers
  if (typeof a === 'bigint' || typeof b === 'bigint') return String(a) === String(b);
  return a === b;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
