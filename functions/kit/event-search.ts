import type { FsEventsFilter, LogEventsFilter, ProviderEventsFilter } from '../../proto/gen/wire.ts';

/** What every search for events asks for. A list that is empty and a text that is `''` do not filter. */
export interface EventSearch {
  /** Nanoseconds since 1970, inclusive; undefined: no bound. */
  readonly startTimestamp: bigint | undefined;
  /** Nanoseconds since 1970, inclusive; undefined: no bound. */
  readonly endTimestamp: bigint | undefined;
  readonly username: string;
  readonly ip: string;
  /** Events of any of these SFTPGo nodes. */
  readonly instanceIds: readonly string[];
  /** Events of this role only. Access control: SFTPGo forces it for the administrators of a role. */
  readonly role: string;
  /** 1 to 1000. */
  readonly limit: number;
  /** By timestamp and then id: `desc` is newest first. */
  readonly order: 'asc' | 'desc';
  /** Go on after the event of this id, in `order`; undefined: start. */
  readonly fromId: string | undefined;
  /** Leave these out: SFTPGo up to 2.5.0 sends the ids it has already shown of the bound's very instant. */
  readonly excludeIds: readonly string[];
}

/** Which events of files and folders? */
export interface FsEventSearch extends EventSearch {
  readonly actions: readonly string[];
  readonly sshCmd: string;
  readonly protocols: readonly string[];
  readonly statuses: readonly number[];
  /** undefined: any. */
  readonly fsProvider: number | undefined;
  readonly bucket: string;
  readonly endpoint: string;
}

/** Which events of SFTPGo's own data? */
export interface ProviderEventSearch extends EventSearch {
  readonly actions: readonly string[];
  readonly objectTypes: readonly string[];
  readonly objectName: string;
  /** `objectData` is not wanted; the kit leaves it out anyway. */
  readonly omitObjectData: boolean;
}

/** Which login events? */
export interface LogEventSearch extends EventSearch {
  readonly events: readonly number[];
  readonly protocols: readonly string[];
}

type AnyFilter = FsEventsFilter | ProviderEventsFilter | LogEventsFilter;

function common(filter: AnyFilter, ids: readonly string[]): EventSearch {
  const { startTimestamp, endTimestamp, username, ip, instanceIds, role, limit, order } = filter;
  const [first] = ids;
  return {
    startTimestamp: startTimestamp > 0n ? startTimestamp : undefined,
    endTimestamp: endTimestamp > 0n ? endTimestamp : undefined,
    username,
    ip,
    instanceIds,
    role,
    limit,
    order: order === 1 ? 'asc' : 'desc',
    fromId: ids.length === 1 && first !== '' ? first : undefined,
    // several ids can only be those that SDK 0.1.3 and older excludes: proto/sftpgo/searcher.proto
    excludeIds: ids.length > 1 ? ids : [],
  };
}

/** The search behind a filter as it crosses the wire. */
export function fsEventSearch(filter: FsEventsFilter): FsEventSearch {
  const { actions, sshCmd, protocols, statuses, fsProvider, bucket, endpoint } = filter;
  return {
    ...common(filter, filter.fromOrExcludeIds),
    actions,
    sshCmd,
    protocols,
    statuses,
    fsProvider: fsProvider === -1 ? undefined : fsProvider,
    bucket,
    endpoint,
  };
}

/** The search behind a filter as it crosses the wire. */
export function providerEventSearch(filter: ProviderEventsFilter): ProviderEventSearch {
  const { actions, objectTypes, objectName, omitObjectData } = filter;
  return { ...common(filter, filter.fromOrExcludeIds), actions, objectTypes, objectName, omitObjectData };
}

/** The search behind a filter as it crosses the wire. */
export function logEventSearch(filter: LogEventsFilter): LogEventSearch {
  const { events, protocols, fromId } = filter;
  return { ...common(filter, [fromId]), events, protocols };
}
