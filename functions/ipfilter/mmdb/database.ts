import type { Words } from '../../../proto/net/words.ts';
import type { MmdbMap, MmdbValue } from './decode.ts';
import { openMmdb } from './reader.ts';
import { refusal } from './refusal.ts';

/** What an address is, and how many of its leading bits that depends on. */
export interface Located<T> {
  /** undefined: the database does not know. */
  readonly value: T | undefined;
  readonly length: number;
}

/** A database, reduced to the one thing that rules ask it. */
export interface Database<T> {
  find(address: Words): Located<T>;
  /** As its makers call it: `GeoLite2-Country`. */
  readonly type: string;
  /** When it was built; the metadata's build_epoch. */
  readonly builtMs: number;
}

/** Decoded records that are kept: an address costs a walk, not a decode. */
const rememberedRecords = 4_096;

/**
 * Opens a database for countries: GeoIP2 and GeoLite2 (Country, City: `country.iso_code`), and flat ones
 * (`country_code`).
 *
 * @throws PluginError INPUT_INVALID when it is damaged or knows no countries
 */
export function openCountries(file: Uint8Array): Database<string> {
  return open(file, countryOf, 'countries');
}

/**
 * Opens a database for autonomous systems: GeoIP2 and GeoLite2 (ASN, ISP), and flat ones
 * (`autonomous_system_number`, or `asn` as a number or as `AS64500`).
 *
 * @throws PluginError INPUT_INVALID when it is damaged or knows none
 */
export function openAsns(file: Uint8Array): Database<number> {
  return open(file, asnOf, 'AS numbers');
}

function open<T>(file: Uint8Array, read: (record: MmdbMap) => T | undefined, what: string): Database<T> {
  const remembered = new Map<number, T | undefined>();
  let knowsAny = false;
  const mmdb = openMmdb(file, (record, offset) => {
    const value = remember(offset, record);
    knowsAny ||= value !== undefined;
  });
  const type = String(mmdb.metadata['database_type'] ?? '').slice(0, 60);
  if (!knowsAny) {
    throw refusal(
      `the database '${type}' has no ${what}`,
      'Use the database for it: GeoLite2-Country, GeoLite2-ASN.',
    );
  }
  return {
    type,
    builtMs: Number(mmdb.metadata['build_epoch'] ?? 0) * 1000,
    find(address) {
      const { offset, length } = mmdb.find(address);
      return { value: offset === undefined ? undefined : valueAt(offset), length };
    },
  };

  function valueAt(offset: number): T | undefined {
    return remembered.has(offset) ? remembered.get(offset) : remember(offset, mmdb.record(offset));
  }

  function remember(offset: number, record: MmdbValue): T | undefined {
    const value = isMap(record) ? read(record) : undefined;
    if (remembered.size >= rememberedRecords) remembered.clear();
    remembered.set(offset, value);
    return value;
  }
}

function countryOf(record: MmdbMap): string | undefined {
  const { country, country_code: flat } = record;
  const code = isMap(country) ? country['iso_code'] : (flat ?? country);
  // ZZ stands for "unknown" in files that have no holes
  return typeof code === 'string' && /^[A-Z]{2}$/.test(code) && code !== 'ZZ' ? code : undefined;
}

function asnOf({ autonomous_system_number: number, asn = number }: MmdbMap): number | undefined {
  const value = typeof asn === 'string' ? Number(/^AS(\d{1,10})$/.exec(asn)?.[1] ?? 0) : asn;
  // 0 is reserved (RFC 7607): no network is in it
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function isMap(value: MmdbValue | undefined): value is MmdbMap {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}
