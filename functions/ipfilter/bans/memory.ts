import { ownBuildId } from '../../kit/build-id.ts';
import { FunctionError } from '../../kit/index.ts';
import { banFor, OffenceCounter } from './offences.ts';
import { allLengths, type Ban, type BanStore, type Bans, networksAround } from './store.ts';

/**
 * Bans in the memory of one process, for tests of a plugin: no other node sees them, and a restart forgets them. A
 * built function refuses to use it.
 */
export function memoryBans(): BanStore {
  const bans = new Map<string, Ban>();
  /** Ids of calls that were done. */
  const done = new Set<string>();
  const offences = new OffenceCounter();
  const store: Bans = {
    async find(address, nowMs) {
      return networksAround(address, allLengths[address.family])
        .map((network) => bans.get(network))
        .find((ban) => ban !== undefined && ban.untilMs > nowMs);
    },
    async add(ban, id) {
      const before = bans.get(ban.network);
      if (done.has(id) || (before !== undefined && before.untilMs >= ban.untilMs)) return before ?? ban;
      done.add(id);
      bans.set(ban.network, ban);
      return ban;
    },
    async remove(network, id, nowMs) {
      if (done.has(id)) return true;
      done.add(id);
      const before = bans.get(network);
      bans.delete(network);
      return before !== undefined && before.untilMs > nowMs;
    },
    async page(cursor, limit, nowMs) {
      const live = [...bans.values()].filter(({ network, untilMs }) => network > cursor && untilMs > nowMs);
      const page = live.sort((a, b) => (a.network < b.network ? -1 : 1)).slice(0, limit);
      return { bans: page, cursor: live.length > limit ? (page.at(-1)?.network ?? '') : '' };
    },
    async count(network, reason, limit, id, nowMs) {
      const count = offences.count(network, limit, nowMs);
      return count > 0
        ? { count }
        : { count, ban: await store.add(banFor(network, reason, limit, nowMs), id, nowMs) };
    },
  };
  return {
    counting: 'exact',
    open() {
      if (/[^0]/.test(ownBuildId())) {
        throw new FunctionError('failed_precondition', 'memoryBans is for tests: use objectBans or kvBans');
      }
      return store;
    },
  };
}
