import type { Words } from '../../../proto/net/words.ts';
import { decodeValue, type MmdbMap, type MmdbValue } from './decode.ts';
import { refusal } from './refusal.ts';

/** What a database says of an address. */
export interface MmdbMatch {
  /** Where its record lies in the data section; undefined: the database does not have the address. */
  readonly offset: number | undefined;
  /** Every address of the family that shares this many leading bits has the same record. */
  readonly length: number;
}

/** A database, opened. */
export interface Mmdb {
  readonly metadata: MmdbMap;
  find(address: Words): MmdbMatch;
  /** Decodes a record. @throws PluginError INPUT_INVALID when it is damaged */
  record(offset: number): MmdbValue;
}

const marker = [0xab, 0xcd, 0xef, ...new TextEncoder().encode('MaxMind.com')];
/** "The metadata section must be in the last 128 KiB of the file." */
const metadataBytes = 128 * 1024;
const separatorBytes = 16;

/**
 * Opens a database in memory (MaxMind DB File Format Specification 2.0, https://maxmind.github.io/MaxMind-DB/).
 * mmdb-lib does the same, but needs Node's Buffer, which a Worker has only behind a compatibility flag.
 *
 * The whole search tree is checked, and each record in it is decoded once, so that a file cut short or altered is
 * refused here and not at the one address in a thousand that would meet it.
 *
 * @param visit gets each record, once
 * @throws PluginError INPUT_INVALID for anything else than a whole database
 */
export function openMmdb(file: Uint8Array, visit?: (record: MmdbValue, offset: number) => void): Mmdb {
  const metadataAt = endOfMarker(file);
  const metadata = decodeValue(file.subarray(metadataAt), 0);
  if (!isMap(metadata)) throw refusal('the metadata of the database is no map');
  const nodes = whole(metadata, 'node_count');
  const bits = whole(metadata, 'record_size');
  const version = whole(metadata, 'ip_version');
  if (whole(metadata, 'binary_format_major_version') !== 2) throw refusal('the database is not of format 2');
  if (![24, 28, 32].includes(bits)) throw refusal(`the database has records of ${bits} bits`);
  if (version !== 4 && version !== 6) throw refusal(`the database is for IP version ${version}`);
  const treeBytes = (nodes * bits) / 4;
  const dataAt = treeBytes + separatorBytes;
  const dataEnd = metadataAt - marker.length;
  if (nodes === 0 || dataAt > dataEnd)
    throw refusal('the database is damaged: its tree does not fit in the file');
  const read = readerOf(file, bits);
  const data = file.subarray(dataAt, dataEnd);
  checkTree(read, nodes, data.byteLength, (offset) => {
    const record = decodeValue(data, offset);
    visit?.(record, offset);
  });
  const ipv4 = version === 6 ? ipv4Start(read, nodes) : { node: 0 };
  return {
    metadata,
    find(address) {
      if (address.length === 4) return version === 4 ? { offset: undefined, length: 0 } : walk(address, 0);
      // a leaf above the IPv4 subtree holds for all of IPv4
      return walk(address, ipv4.node);
    },
    record: (offset) => decodeValue(data, offset),
  };

  function walk(address: Words, from: number): MmdbMatch {
    const most = address.length * 32;
    let node = from;
    let depth = 0;
    while (node < nodes && depth < most) {
      const bit = ((address[depth >>> 5] ?? 0) >>> (31 - (depth & 31))) & 1;
      node = read(node * 2 + bit);
      depth++;
    }
    return { offset: node > nodes ? node - nodes - separatorBytes : undefined, length: depth };
  }
}

/** The two records of a node follow each other: record 2n is the left one of node n, 2n + 1 the right one. */
function readerOf(file: Uint8Array, bits: number): (record: number) => number {
  const byte = (at: number) => file[at] ?? 0;
  const three = (at: number) => byte(at) * 65_536 + byte(at + 1) * 256 + byte(at + 2);
  if (bits === 24) return (record) => three(record * 3);
  if (bits === 32) return (record) => byte(record * 4) * 16_777_216 + three(record * 4 + 1);
  // 28 bits: the middle one of a node's seven bytes has the upper four bits of the left record and of the right one
  return (record) => {
    const node = (record >>> 1) * 7;
    const middle = byte(node + 3);
    return record % 2 === 0
      ? (middle >>> 4) * 16_777_216 + three(node)
      : (middle & 15) * 16_777_216 + three(node + 4);
  };
}

/** Calls `visit` with each offset that the tree leads to, once. */
function checkTree(
  read: (record: number) => number,
  nodes: number,
  dataBytes: number,
  visit: (offset: number) => void,
): void {
  // a bit for each byte of the data
  const visited = new Uint8Array((dataBytes >>> 3) + 1);
  for (let record = 0; record < nodes * 2; record++) {
    const target = read(record);
    if (target <= nodes) continue;
    const offset = target - nodes - separatorBytes;
    if (offset < 0 || offset >= dataBytes) {
      throw refusal(`the database is damaged: node ${record >>> 1} leads out of the file`);
    }
    const seen = visited[offset >>> 3] ?? 0;
    const bit = 1 << (offset & 7);
    if ((seen & bit) !== 0) continue;
    visited[offset >>> 3] = seen | bit;
    visit(offset);
  }
}

/** Where IPv4 begins in a tree of IPv6: after 96 zero bits. */
function ipv4Start(read: (record: number) => number, nodes: number): { node: number } {
  let node = 0;
  for (let depth = 0; depth < 96 && node < nodes; depth++) node = read(node * 2);
  return { node };
}

function endOfMarker(file: Uint8Array): number {
  const first = Math.max(0, file.byteLength - metadataBytes);
  for (let at = file.byteLength - marker.length; at >= first; at--) {
    if (marker.every((byte, index) => file[at + index] === byte)) return at + marker.length;
  }
  if (file.byteLength === 0) throw refusal('the database is empty');
  if (file[0] === 0x1f && file[1] === 0x8b) throw refusal('the database is compressed (gzip)');
  throw refusal('the file is no database, or the end of it is missing');
}

function whole(metadata: MmdbMap, name: string): number {
  const value = metadata[name];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw refusal(`the metadata of the database has no ${name}`);
}

function isMap(value: MmdbValue): value is MmdbMap {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}
