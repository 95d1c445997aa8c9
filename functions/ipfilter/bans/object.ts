import { banFor, maxCounted, withOffence } from './offences.ts';
import type { Ban, BanPage, Counted, Limit } from './store.ts';

/** The part of a Durable Object's state that {@link BanList} uses. */
export interface ObjectState {
  readonly storage: {
    readonly sql: { exec(query: string, ...bindings: readonly unknown[]): { toArray(): unknown[] } };
    getAlarm(): Promise<number | null>;
    setAlarm(timeMs: number): Promise<void>;
  };
}

/** A signature can be replayed for 90 s (docs/architecture.md, "Time"): so long a call's id must be known, at least. */
const rememberCallsMs = 120_000;
/** Offences are forgotten after the longest window there is. */
const rememberOffencesMs = 3_600_000;
/** What has ended is no ban any more, whenever its row goes. */
const alarmPauseMs = 60_000;

/**
 * The most rows of each table, and which go first: bans that end first, networks that were quiet longest, the oldest
 * calls. Counting rows costs as much as reading them, so it is done at one write of many, and a table may be
 * longer by so many rows.
 */
const bounds = [
  { table: 'bans', key: 'network', column: 'until', maxRows: 10_000 },
  { table: 'offences', key: 'network', column: 'last', maxRows: maxCounted },
  { table: 'calls', key: 'id', column: 'at', maxRows: 10_000 },
] as const;
const writesBetweenCounts = 128;

/**
 * The Durable Object that keeps bans: one list in SQLite, one call after the other, so that counts and bans are exact.
 * A Worker exports it beside its plugin, and its configuration binds it as `new_sqlite_classes`.
 *
 * A plain class without `cloudflare:workers`, so that the Worker's module loads elsewhere too.
 */
export class BanList {
  readonly #storage: ObjectState['storage'];
  #writes = 0;

  constructor({ storage }: ObjectState) {
    this.#storage = storage;
    for (const table of [
      'bans (network TEXT PRIMARY KEY, until INTEGER, reason TEXT, by TEXT) WITHOUT ROWID',
      'offences (network TEXT PRIMARY KEY, last INTEGER, times TEXT) WITHOUT ROWID',
      'calls (id TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID',
    ]) {
      this.#rows(`CREATE TABLE IF NOT EXISTS ${table}`);
    }
    for (const { table, column } of bounds) {
      this.#rows(`CREATE INDEX IF NOT EXISTS ${table}_${column} ON ${table} (${column})`);
    }
  }

  /** A call of its own Worker: nobody else can reach it. */
  async fetch(request: Request): Promise<Response> {
    const { call, args } = (await request.json()) as Asked;
    // nothing is awaited in here: SQLite answers at once, so no other call comes in between
    const result = this[call](...(args as [never, never, never, never, never]));
    if (call !== 'find' && call !== 'page') await this.#clean();
    // null, since JSON has no undefined: an answer without a result is not one
    return Response.json({ result: result ?? null });
  }

  /** Removes what has ended. */
  async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#rows('DELETE FROM bans WHERE until <= ?', nowMs);
    this.#rows('DELETE FROM offences WHERE last <= ?', nowMs - rememberOffencesMs);
    this.#rows('DELETE FROM calls WHERE at <= ?', nowMs - rememberCallsMs);
    await this.#setAlarm(nowMs);
  }

  find(networks: readonly string[], nowMs: number): Ban | undefined {
    return this.#bans(
      `${selectBans} WHERE network IN (SELECT value FROM json_each(?)) AND until > ? ORDER BY until DESC LIMIT 1`,
      JSON.stringify(networks),
      nowMs,
    )[0];
  }

  add(ban: Ban, id: string, nowMs: number): Ban {
    if (!this.#isNew(id, nowMs)) return this.#banOf(ban.network) ?? ban;
    return this.#put(ban);
  }

  remove(network: string, id: string, nowMs: number): boolean {
    if (!this.#isNew(id, nowMs)) return true;
    const removed = this.#rows('DELETE FROM bans WHERE network = ? RETURNING until', network)[0];
    this.#rows('DELETE FROM offences WHERE network = ?', network);
    return Number(removed?.['until'] ?? 0) > nowMs;
  }

  page(cursor: string, limit: number, nowMs: number): BanPage {
    const bans = this.#bans(
      `${selectBans} WHERE network > ? AND until > ? ORDER BY network LIMIT ?`,
      cursor,
      nowMs,
      limit,
    );
    return { bans, cursor: bans.length < limit ? '' : (bans.at(-1)?.network ?? '') };
  }

  count(network: string, reason: string, limit: Limit, id: string, nowMs: number): Counted {
    const stored = this.#rows('SELECT times FROM offences WHERE network = ?', network)[0]?.['times'];
    const before: number[] = JSON.parse(String(stored ?? '[]'));
    if (!this.#isNew(id, nowMs)) {
      const ban = this.#banOf(network);
      return { count: before.length, ...(ban && ban.untilMs > nowMs ? { ban } : {}) };
    }
    const times = withOffence(before, nowMs, limit);
    if (times.length >= limit.attempts) {
      this.#rows('DELETE FROM offences WHERE network = ?', network);
      return { count: 0, ban: this.#put(banFor(network, reason, limit, nowMs)) };
    }
    this.#rows('INSERT OR REPLACE INTO offences VALUES (?, ?, ?)', network, nowMs, JSON.stringify(times));
    return { count: times.length };
  }

  #put(ban: Ban): Ban {
    this.#rows(
      `INSERT INTO bans VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET until = excluded.until, reason = excluded.reason, by = excluded.by WHERE excluded.until > until`,
      ban.network,
      ban.untilMs,
      ban.reason,
      ban.by,
    );
    return this.#banOf(ban.network) ?? ban;
  }

  #banOf(network: string): Ban | undefined {
    return this.#bans(`${selectBans} WHERE network = ?`, network)[0];
  }

  #isNew(id: string, nowMs: number): boolean {
    return this.#rows('INSERT OR IGNORE INTO calls VALUES (?, ?) RETURNING id', id, nowMs).length > 0;
  }

  async #clean(): Promise<void> {
    if (this.#writes % writesBetweenCounts === 0) {
      for (const { table, key, column, maxRows } of bounds) {
        this.#rows(
          `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} ORDER BY ${column}
            LIMIT max(0, (SELECT count(*) FROM ${table}) - ?))`,
          maxRows,
        );
      }
    }
    this.#writes += 1;
    await this.#setAlarm(Date.now());
  }

  async #setAlarm(nowMs: number): Promise<void> {
    const [next] = this.#rows(
      `SELECT min(t) AS at FROM (SELECT min(until) AS t FROM bans UNION ALL
        SELECT min(last) + ${rememberOffencesMs} FROM offences UNION ALL
        SELECT min(at) + ${rememberCallsMs} FROM calls)`,
    );
    if (typeof next?.['at'] !== 'number') return;
    const at = Math.max(next['at'], nowMs + alarmPauseMs);
    const set = await this.#storage.getAlarm();
    if (set === null || set > at) await this.#storage.setAlarm(at);
  }

  #bans(query: string, ...bindings: readonly unknown[]): Ban[] {
    return this.#rows(query, ...bindings) as unknown as Ban[];
  }

  #rows(query: string, ...bindings: readonly unknown[]): Record<string, unknown>[] {
    return this.#storage.sql.exec(query, ...bindings).toArray() as Record<string, unknown>[];
  }
}

const selectBans = 'SELECT network, until AS untilMs, reason, by FROM bans';

/** What the Worker asks its object. */
export interface Asked {
  readonly call: 'find' | 'add' | 'remove' | 'page' | 'count';
  readonly args: readonly unknown[];
}
