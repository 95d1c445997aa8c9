/**
 * The plugin-* headers: what a call says beside its body, and what an answer says of itself. All of them are signed;
 * read them from the verified list only. Small and free of imports: every function bundles it.
 */
export const pluginHeaders = {
  /** Request: the function that is meant, `name@stage`. */
  function: 'plugin-function',
  /** Request: 128 random bits or the SHA-256 of an event, in hex; the same for every attempt of one call. */
  callId: 'plugin-call-id',
  /** Request (notifier): the SFTPGo instance that sends the event. */
  instance: 'plugin-instance',
  /** Answer (auth): how the user in the body is meant, see {@link parseGrant}. */
  grant: 'plugin-grant',
  /** Answer: how long it may be kept, see {@link parseCache}. Apart from Cache-Control, which proxies rewrite. */
  cache: 'plugin-cache',
  /** Answer (ipfilter): what a verdict holds for, see {@link parseScope}. */
  scope: 'plugin-scope',
  /** Answer: for the debug log, see {@link formatReason}. */
  reason: 'plugin-reason',
  /** Answer: the build id of the bundle, or the platform's version. */
  version: 'plugin-version',
  /** Both (auth): the opaque state of a keyboard-interactive login. */
  dialogue: 'plugin-dialogue',
  /** Answer: the function's own time, see {@link parseElapsed}. */
  elapsed: 'plugin-elapsed',
  /** Answer: `time` when the request was refused for its time; nothing ran. */
  refused: 'plugin-refused',
} as const;

/** How the user in an auth answer is meant: a merge patch, the whole user, or the host's own unchanged. */
export type Grant = 'merge' | 'replace' | 'unchanged';

/** Reads plugin-grant; `undefined` for anything but the three words. */
export function parseGrant(text: string | undefined): Grant | undefined {
  return text === 'merge' || text === 'replace' || text === 'unchanged' ? text : undefined;
}

/** How long an answer may be kept. */
export interface Lifetimes {
  /** Used without asking. */
  readonly freshMs?: number;
  /** After that: used while the function is asked again. */
  readonly staleWhileRevalidateMs?: number;
  /** After `freshMs`: used when the function cannot be asked. */
  readonly staleMs?: number;
}

const lifetimeNames: Readonly<Record<string, keyof Lifetimes>> = {
  'max-age': 'freshMs',
  'stale-while-revalidate': 'staleWhileRevalidateMs',
  'stale-if-error': 'staleMs',
};

/**
 * Writes plugin-cache, in whole seconds rounded down; `''` when nothing is to be kept. A zero is written where something
 * else is kept: no stale-if-error is less than one that is left out.
 */
export function formatCache(lifetimes: Lifetimes): string {
  const said = Object.entries(lifetimeNames)
    .map(([name, field]) => ({ name, ms: lifetimes[field], s: Math.floor((lifetimes[field] ?? 0) / 1000) }))
    .filter(({ ms, s }) => ms === 0 || s > 0);
  return said.some(({ s }) => s > 0) ? said.map(({ name, s }) => `${name}=${s}`).join(', ') : '';
}

/**
 * Reads plugin-cache: Cache-Control's grammar (RFC 9111 §5.2, RFC 5861) with max-age, stale-while-revalidate and
 * stale-if-error. Other directives are ignored, but no-store and no-cache, a doubled or a malformed directive mean
 * that nothing may be kept: `undefined`.
 *
 * ```ts
 * parseCache('max-age=60, stale-if-error=3600'); // { freshMs: 60_000, staleMs: 3_600_000 }
 * ```
 */
export function parseCache(text: string | undefined): Lifetimes | undefined {
  if (!text) return undefined;
  const found: { -readonly [K in keyof Lifetimes]: Lifetimes[K] } = {};
  for (const part of text.split(',')) {
    const [, name, value] = /^([\w-]+)(?:=(\S+))?$/.exec(part.trim().toLowerCase()) ?? [];
    if (!name || name === 'no-store' || name === 'no-cache') return undefined;
    if (!Object.hasOwn(lifetimeNames, name)) continue;
    const field = lifetimeNames[name];
    if (!field || field in found || !/^\d{1,9}$/.test(value ?? '')) return undefined;
    found[field] = Number(value) * 1000;
  }
  return found;
}

/** What a verdict holds for: a network prefix, and only some of SFTPGo's protocols if they are named. */
export interface Scope {
  /** `203.0.113.0/24`; `proto/net` parses it. */
  readonly prefix: string;
  readonly protocols?: readonly string[];
}

const scopeText = /^([0-9a-fA-F.:]{2,45}\/\d{1,3})(?:; ?protocols="([A-Za-z]+(?: [A-Za-z]+)*)")?$/;

/** Writes plugin-scope: `203.0.113.0/24;protocols="SSH FTP"`. */
export function formatScope({ prefix, protocols }: Scope): string {
  return protocols === undefined ? prefix : `${prefix};protocols="${protocols.join(' ')}"`;
}

/** Reads plugin-scope; `undefined` when it is malformed. Whether the prefix is one is for `proto/net` to say. */
export function parseScope(text: string): Scope | undefined {
  const [, prefix, protocols] = scopeText.exec(text) ?? [];
  if (prefix === undefined) return undefined;
  return protocols === undefined ? { prefix } : { prefix, protocols: protocols.split(' ') };
}

/** What plugin-reason has room for. */
export const maxReasonLength = 200;

/** At most 200 printable ASCII characters of a text: for plugin-reason on both sides, so for logs and nothing else. */
export function formatReason(text: string): string {
  return text
    .slice(0, maxReasonLength)
    .replace(/[^ -~]/g, '?')
    .trim();
}

/** Writes plugin-elapsed: milliseconds, decimal, to the microsecond. */
export function formatElapsed(elapsedMs: number): string {
  return String(Math.max(0, Math.round(elapsedMs * 1000) / 1000));
}

/** Reads plugin-elapsed in ms; `undefined` when it is missing or malformed. */
export function parseElapsed(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}(?:\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
}
