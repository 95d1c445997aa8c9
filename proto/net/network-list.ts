import { PluginError } from '../error.ts';
import { isMapped, parseIPv4, parseIPv6Groups } from './address.ts';
import { type NetworkSet, NetworkSetBuilder } from './network-set.ts';
import { maskGroups, maskIPv4, parsePrefix } from './prefix.ts';

/** The most networks that one list may have. */
export const maxNetworks = 1_000_000;

/** How a list is read. */
export interface NetworkListOptions {
  /** A line that is no network: refuse the whole list, or leave the line out. */
  readonly onBrokenLine: 'refuse' | 'skip';
}

/** What came out of a list. */
export interface NetworkList {
  readonly networks: NetworkSet;
  /** Numbers of the lines that were left out, from 1; the first hundred. */
  readonly skipped: readonly number[];
}

/**
 * Reads a list of networks: one address or network a line, `#` or `;` begins a comment, lines end as on Unix or
 * Windows.
 *
 * ```text
 * # abuse, 2026-11-22
 * 203.0.113.0/24
 * 2001:db8:bad::/48   # whole customer
 * ```
 *
 * The list may come in pieces, cut anywhere: one after the other is decoded, so that the whole text is never in memory.
 *
 * @throws PluginError INPUT_INVALID, naming the line: not UTF-8, a line that is no network, more than a million
 * networks, or nothing in it at all. A list that is meant to be empty has a comment: a file cut to nothing would
 * otherwise let in whom it was to keep out.
 */
export function parseNetworkList(
  list: Uint8Array | string | Iterable<Uint8Array>,
  options: NetworkListOptions,
): NetworkList {
  const builder = new NetworkSetBuilder();
  const skipped: number[] = [];
  let line = 0;
  let isBlank = true;
  for (const text of linesOf(list)) {
    line += 1;
    const network = withoutComment(text);
    if (isBlank) isBlank = text.trim() === '';
    if (network === '') continue;
    try {
      if (!addPlain(builder, network)) builder.add(parsePrefix(network));
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      if (options.onBrokenLine === 'refuse')
        throw refusal(`line ${line}: ${error.happened}`, error.expected, error.remedy);
      if (skipped.length < 100) skipped.push(line);
    }
    if (builder.count > maxNetworks) {
      throw refusal(
        `line ${line} is one network too many`,
        `at most ${maxNetworks} networks`,
        'Join networks, or make two lists of it.',
      );
    }
  }
  if (isBlank) {
    throw refusal('the list is empty', 'networks, or at least a comment', 'Write # none for an empty list.');
  }
  if (builder.count === 0 && skipped.length > 0) {
    throw refusal('the list has not one network', 'one network a line', `See line ${skipped[0]}.`);
  }
  return { networks: builder.build(), skipped };
}

/** The ordinary forms, without an object for each line; false leaves the line to {@link parsePrefix}. */
function addPlain(builder: NetworkSetBuilder, text: string): boolean {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const bits = parseIPv4(host);
  const length = slash < 0 ? (bits < 0 ? 128 : 32) : parseLength(text, slash + 1);
  if (length < 0) return false;
  if (bits >= 0) {
    if (length > 32 || maskIPv4(bits, length) >>> 0 !== bits) return false;
    builder.addIPv4(bits, length);
  } else {
    const groups = parseIPv6Groups(host);
    if (groups === undefined || length > 128 || isMapped(groups)) return false;
    if (maskGroups(groups, length).padEnd(8, '\0') !== groups) return false;
    builder.addIPv6(groups, length);
  }
  return true;
}

/** A prefix length without leading zeros, or -1. */
function parseLength(text: string, from: number): number {
  const digits = text.length - from;
  if (digits < 1 || digits > 3 || (digits > 1 && text.charCodeAt(from) === 48)) return -1;
  let length = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function withoutComment(line: string): string {
  let end = 0;
  while (end < line.length && line.charCodeAt(end) !== 35 && line.charCodeAt(end) !== 59) end++;
  return line.slice(0, end).trim();
}

function* linesOf(list: Uint8Array | string | Iterable<Uint8Array>): Generator<string> {
  let rest = '';
  for (const text of textsOf(list)) {
    let start = 0;
    for (let feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', start)) {
      yield rest + text.slice(start, feed);
      rest = '';
      start = feed + 1;
    }
    rest += text.slice(start);
  }
  if (rest !== '') yield rest;
}

/** Bytes that are decoded at once. */
const stepBytes = 256 * 1024;

function* textsOf(list: Uint8Array | string | Iterable<Uint8Array>): Generator<string> {
  if (typeof list === 'string') return yield list;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (const piece of list instanceof Uint8Array ? [list] : list) {
      for (let at = 0; at < piece.byteLength; at += stepBytes) {
        yield decoder.decode(piece.subarray(at, at + stepBytes), { stream: true });
      }
    }
    yield decoder.decode();
  } catch {
    throw refusal('the list is not UTF-8 text', 'one network a line', 'Save it as UTF-8, uncompressed.');
  }
}

function refusal(happened: string, expected: string, remedy: string): PluginError {
  return new PluginError('INPUT_INVALID', { happened, expected, remedy });
}
