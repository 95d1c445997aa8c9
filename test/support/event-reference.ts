import type { FsEventsFilter } from '../../proto/gen/wire.ts';

/** A stored event as the naive reference knows it: the JSON that SFTPGo gets, parsed, integers as bigint. */
export type Stored = Readonly<Record<string, string | bigint>>;

/** JSON of a search with every number as bigint. */
export function parseEvents(json: string): Stored[] {
  return JSON.parse(json, (_: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? BigInt(context?.source ?? '') : value,
  );
}

function matches(event: Stored, filter: FsEventsFilter): boolean {
  const text = (key: string) => event[key] ?? '';
  const number = (key: string) => event[key] ?? 0n;
  const oneOf = (list: readonly unknown[], value: unknown) => list.length === 0 || list.includes(value);
  const equal = (wanted: string, value: unknown) => wanted === '' || wanted === value;
  const timestamp = number('timestamp') as bigint;
  return (
    (filter.startTimestamp === 0n || timestamp >= filter.startTimestamp) &&
    (filter.endTimestamp === 0n || timestamp <= filter.endTimestamp) &&
    oneOf(filter.actions, text('action')) &&
    equal(filter.username, text('username')) &&
    equal(filter.ip, text('ip')) &&
    equal(filter.sshCmd, text('ssh_cmd')) &&
    oneOf(filter.protocols, text('protocol')) &&
    oneOf(filter.statuses, Number(number('status'))) &&
    oneOf(filter.instanceIds, text('instance_id')) &&
    (filter.fsProvider === -1 || BigInt(filter.fsProvider) === number('fs_provider')) &&
    equal(filter.bucket, text('bucket')) &&
    equal(filter.endpoint, text('endpoint')) &&
    equal(filter.role, text('role'))
  );
}

/** What a search must find, by looking at every event there is. */
export function naiveSearch(all: readonly Stored[], filter: FsEventsFilter): Stored[] {
  const key = (event: Stored) => `${String(event['timestamp']).padStart(20, '0')} ${event['id']}`;
  const sorted = all.filter((event) => matches(event, filter)).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  if (filter.order === 0) sorted.reverse();
  const ids = filter.fromOrExcludeIds;
  const [from] = ids;
  const last = ids.length === 1 ? all.find(({ id }) => id === from) : undefined;
  const after = (event: Stored) =>
    last === undefined || (filter.order === 0 ? key(event) < key(last) : key(event) > key(last));
  return sorted
    .filter((event) => after(event) && !(ids.length > 1 && ids.includes(String(event['id']))))
    .slice(0, filter.limit);
}
