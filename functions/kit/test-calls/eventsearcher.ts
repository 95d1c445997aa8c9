import type {
  FsEventsFilter,
  LogEventsFilter,
  ProviderEventsFilter,
  SearchResponse,
} from '../../../proto/gen/wire.ts';
import { outputOf, type Run } from './run.ts';

/** The RPCs of an eventsearcher plugin; filters as SFTPGo sends them, fields left out do not filter. */
export interface EventsearcherCalls {
  /** The JSON text that SFTPGo passes on: integers in it may exceed 2^53. */
  searchFsEvents(filter?: Partial<FsEventsFilter>): Promise<string>;
  searchProviderEvents(filter?: Partial<ProviderEventsFilter>): Promise<string>;
  searchLogEvents(filter?: Partial<LogEventsFilter>): Promise<string>;
}

const shared = {
  startTimestamp: 0n,
  endTimestamp: 0n,
  username: '',
  ip: '',
  instanceIds: [],
  limit: 100,
  order: 0,
  role: '',
};

/** The calls of an eventsearcher plugin. */
export function eventsearcherCalls(run: Run): EventsearcherCalls {
  const text = async (rpc: string, input: object) =>
    new TextDecoder().decode((outputOf(await run(rpc, input)) as SearchResponse).data);
  return {
    searchFsEvents(filter) {
      const defaults: FsEventsFilter = {
        ...shared,
        actions: [],
        sshCmd: '',
        protocols: [],
        statuses: [],
        fromOrExcludeIds: [],
        fsProvider: -1,
        bucket: '',
        endpoint: '',
      };
      return text('SearchFsEvents', { ...defaults, ...filter });
    },
    searchProviderEvents(filter) {
      const defaults: ProviderEventsFilter = {
        ...shared,
        actions: [],
        objectTypes: [],
        objectName: '',
        fromOrExcludeIds: [],
        omitObjectData: false,
      };
      return text('SearchProviderEvents', { ...defaults, ...filter });
    },
    searchLogEvents(filter) {
      const defaults: LogEventsFilter = { ...shared, events: [], protocols: [], fromId: '' };
      return text('SearchLogEvents', { ...defaults, ...filter });
    },
  };
}
