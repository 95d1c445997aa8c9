import { eventsearcher, FunctionError, type Plugin } from '../../../functions/kit/index.ts';
import type { Arrivals } from './arrivals.ts';

/** A moment that a double cannot hold. */
export const foundAt = 1_697_040_000_123_456_789n;

/** Finds one event of each kind; for the user `slow` the database is away. */
export function eventsearcherPlugin(arrivals: Arrivals): Plugin<object> {
  const arrived = (rpc: string, search: { readonly username: string }) => {
    arrivals.add(rpc, search);
    if (search.username === 'slow') throw new FunctionError('unavailable', 'no database');
  };
  return eventsearcher<object>({
    searchFsEvents(search) {
      arrived('SearchFsEvents', search);
      const file = {
        fsPath: '/srv/a',
        virtualPath: '/a',
        fileSize: 2n ** 53n + 1n,
        status: 1,
        fsProvider: 0,
      };
      const where = { protocol: 'SFTP', sessionId: 's1', role: search.role };
      return [{ id: 'e1', timestamp: foundAt, username: 'anna', action: 'upload', ...file, ...where }];
    },
    searchProviderEvents(search) {
      arrived('SearchProviderEvents', search);
      const objectData = new TextEncoder().encode('{"id":1}');
      const object = { objectType: 'user', objectName: 'anna', objectData, role: search.role };
      return [{ id: 'e2', timestamp: foundAt, username: 'admin', action: 'add', ...object }];
    },
    searchLogEvents(search) {
      arrived('SearchLogEvents', search);
      return [{ id: 'e3', timestamp: foundAt, event: 5, username: 'anna', role: search.role }];
    },
  });
}
