import { equal, isArray, isNumber, isObject, type Json, type JsonObject } from '../../json/tree.ts';
import { asGoReads, type Change, changesBetween } from './changes.ts';
import { type Ceiling, providerNames } from './config.ts';
import { liesIn } from './home.ts';
import { matches } from './names.ts';
import { permissionsWithin } from './permissions.ts';
import { grantRefused } from './refuse.ts';

/** What the client offered at this login: the host adds it to the user by itself too. */
export interface Offered {
  /** `type base64`, as SFTPGo writes it. */
  readonly publicKey?: string;
  /** PEM. */
  readonly certificate?: string;
}

interface Case {
  readonly ceiling: Ceiling;
  readonly offered: Offered;
  readonly isNew: boolean;
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/**
 * Refuses an answer that gives a user more than it may: an allow-list over every field of SFTPGo's user. What no key
 * of the ceiling names must be as the host sent it; for a new user, absent or Go's zero (docs/auth.md).
 *
 * Takes the host's record and the user that would replace it. Throws GRANT_REFUSED naming the field.
 */
export function checkCeiling(
  before: JsonObject,
  after: JsonObject,
  options: { readonly ceiling: Ceiling; readonly offered: Offered; readonly isNew: boolean },
): void {
  const about: Case = { ...options, before, after };
  const changes = changesBetween(before, after);
  // with another provider, settings of the storage that were left over come into force: they count as granted
  const provider = changes.find(({ path }) => path === 'filesystem.provider');
  const withoutStorage = new Map([...before].filter(([key]) => key !== 'filesystem'));
  const all =
    provider === undefined
      ? changes
      : [...changesBetween(withoutStorage, after).filter(({ path }) => path !== provider.path), provider];
  for (const change of all) {
    if (!isWithin(change, about)) {
      throw grantRefused(`the answer changes ${change.path} of the user`, 'a change that auth.ceiling names');
    }
  }
}

function isWithin(change: Change, about: Case): boolean {
  if (about.ceiling.fields.some((path) => path === change.path)) return true;
  const { ceiling, offered, isNew, after: user } = about;
  const { before, after } = change;
  switch (change.field.rule) {
    case 'host':
    case 'named':
      return false;
    case 'free':
      return true;
    case 'limit':
      return isLower(before, after) || (isFirst(change, about) && numberOf(after) > 0n);
    case 'raise':
      return numberOf(after) > numberOf(before) && (before !== undefined || isFirst(change, about));
    case 'on':
      return after === true;
    case 'more':
      return listOf(before).every((value) => includes(after, value));
    case 'narrow':
      return after !== undefined && (isFirst(change, about) || isPart(after, before));
    case 'first':
      return isFirst(change, about);
    case 'status':
      return after === undefined || (isNew && numberOf(after) === 1n);
    case 'home':
      return typeof after === 'string' && liesIn(after, ceiling.homes);
    case 'permissions':
      return permissionsWithin(before, after, ceiling.permissions, hasGroups(about));
    case 'provider':
      return ceiling.providers.some((name) => BigInt(providerNames.indexOf(name)) === numberOf(after));
    case 'bucket':
      return typeof after === 'string' && matches(after, ceiling.buckets);
    case 'in-bucket':
      return bucketOf(change.path, user) !== undefined;
    case 'groups':
      return difference(before, after).every((group) => matches(nameOf(group), ceiling.groups));
    case 'folders':
      return difference(before, after).every(
        (folder) => matches(nameOf(folder), ceiling.folders) && isReference(folder, before),
      );
    case 'offered-key':
      return isPart(after, before, offered.publicKey);
    case 'offered-certificate':
      return isPart(after, before, offered.certificate);
  }

  /** The bucket that a setting of a storage is about, if the ceiling names it. */
  function bucketOf(path: string, record: JsonObject): string | undefined {
    const filesystem = record.get('filesystem');
    const config = isObject(filesystem) ? filesystem.get(path.split('.')[1] ?? '') : undefined;
    const bucket = isObject(config) ? (config.get('bucket') ?? config.get('container')) : undefined;
    return typeof bucket === 'string' && matches(bucket, ceiling.buckets) ? bucket : undefined;
  }
}

/** Was there no restriction before? Without groups alone: a group's own would no longer count, or be widened. */
function isFirst({ before }: Change, about: Case): boolean {
  return before === undefined && !hasGroups(about);
}

function hasGroups({ before, after }: Case): boolean {
  return [before, after].some((user) => listOf(asGoReads(user.get('groups'))).length > 0);
}

function isLower(before: Json | undefined, after: Json | undefined): boolean {
  return numberOf(after) > 0n && numberOf(after) < numberOf(before);
}

/** Only entries of `whole`, or the one that the client offered. */
function isPart(part: Json | undefined, whole: Json | undefined, offered?: string): boolean {
  return listOf(part).every(
    (value) =>
      includes(whole, value) ||
      (offered !== undefined && typeof value === 'string' && value.trim() === offered.trim()),
  );
}

/** A virtual folder by reference: its settings are the host's, and the answer brings only where and how much. */
function isReference(folder: Json, known: Json | undefined): boolean {
  if (!isObject(folder)) return false;
  const same = listOf(known)
    .filter(isObject)
    .find((old) => nameOf(old) === nameOf(folder));
  return [...folder].every(
    ([key, value]) =>
      ['name', 'virtual_path', 'quota_size', 'quota_files'].includes(key) || equal(value, same?.get(key)),
  );
}

/** The entries that only one of two lists has. */
function difference(a: Json | undefined, b: Json | undefined): Json[] {
  return [
    ...listOf(a).filter((value) => !includes(b, value)),
    ...listOf(b).filter((value) => !includes(a, value)),
  ];
}

function includes(list: Json | undefined, value: Json): boolean {
  return listOf(list).some((entry) => equal(entry, value));
}

function listOf(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

function nameOf(value: Json): string {
  const name = isObject(value) ? value.get('name') : undefined;
  return typeof name === 'string' ? name : '';
}

function numberOf(value: Json | undefined): bigint {
  return isNumber(value) ? BigInt(value.number) : 0n;
}
