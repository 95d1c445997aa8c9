/** The three kinds of events, as they stand in keys. */
export type EventKind = 'fs' | 'provider' | 'log';

const idText = /^[0-9a-f]{40}$/;
/** The last nanosecond of an int64: 2262-04-11. */
const lastNs = 2n ** 63n - 1n;
const dayNs = 86_400_000_000_000n;

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * An event's id in the table: its timestamp in 16 hex digits, then 96 bits of the SHA-256 of the call's id. It sorts
 * like (timestamp, id), so one key serves as both; an event that is sent again has the same.
 */
export async function eventId(timestamp: bigint, callId: string): Promise<string> {
  return `${timestampHex(timestamp)}${(await sha256Hex(callId)).slice(0, 24)}`;
}

function timestampHex(timestamp: bigint): string {
  return timestamp.toString(16).padStart(16, '0');
}

/** The timestamp in an id; undefined for an id that is not of this table. */
export function timestampOf(id: string): bigint | undefined {
  return idText.test(id) ? BigInt(`0x${id.slice(0, 16)}`) : undefined;
}

/** Is this a time that an id can hold? */
export function isStorable(timestamp: bigint): boolean {
  return timestamp > 0n && timestamp <= lastNs;
}

/** The lowest and the highest id of the events between two instants, both inclusive. */
export function idRange(
  startNs: bigint | undefined,
  endNs: bigint | undefined,
): { from: string; to: string } {
  const start = startNs === undefined || startNs < 0n ? 0n : startNs;
  const end = endNs === undefined || endNs > lastNs ? lastNs : endNs;
  return { from: `${timestampHex(start)}${'0'.repeat(24)}`, to: `${timestampHex(end)}${'f'.repeat(24)}` };
}

/** The UTC day of an instant, `2026-03-01`; days sort like their text up to the last that an int64 holds. */
export function dayOf(timestamp: bigint): string {
  return new Date(Number(timestamp / dayNs) * 86_400_000).toISOString().slice(0, 10);
}

/** The partition of one day's events of a kind. */
export function dayKey(kind: EventKind, day: string): string {
  return `${kind}#${day}`;
}

/** The partition that lists the days with events of a kind. */
export function daysKey(kind: EventKind): string {
  return `${kind}#days`;
}

/** DynamoDB takes 2,048 bytes; a name typed at login may be longer, and is looked up by its digest then. */
const maxPlainBytes = 512;

/**
 * The partition of an index for a user, an address or a role. undefined for the empty text: such an event is not
 * in that index.
 */
export async function indexKey(kind: EventKind, value: string): Promise<string | undefined> {
  if (value === '') return undefined;
  const short = new TextEncoder().encode(value).byteLength <= maxPlainBytes;
  return short ? `${kind}#=${value}` : `${kind}#sha256=${await sha256Hex(value)}`;
}
