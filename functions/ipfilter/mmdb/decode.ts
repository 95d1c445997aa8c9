import { refusal } from './refusal.ts';

/** What a data section holds. Integers above 2^53 are not needed here and become the nearest number. */
export type MmdbValue = string | number | boolean | Uint8Array | readonly MmdbValue[] | MmdbMap;

/** A map of a data section. */
export interface MmdbMap {
  readonly [key: string]: MmdbValue;
}

/** How deep maps, arrays and pointers may lie in each other: files in use have four or five. */
const maxDepth = 32;
/** What one record may have in it: a file of pointers to pointers could otherwise unfold without end. */
const maxValues = 10_000;

/**
 * Decodes one value of a data section (MaxMind DB File Format 2.0, "Output Data Section").
 *
 * @throws PluginError INPUT_INVALID for anything that the format does not have
 */
export function decodeValue(section: Uint8Array, offset: number): MmdbValue {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  let at = offset;
  let values = 0;
  return value(0);

  function value(depth: number): MmdbValue {
    if (depth > maxDepth || ++values > maxValues) throw broken('values lie too deep in each other');
    const control = byte();
    const type = control >> 5 || byte() + 7;
    if (type === 1) return pointed(control, depth);
    const size = sizeOf(control);
    if (type === 7) return map(size, depth);
    if (type === 11) return Array.from({ length: limited(size) }, () => value(depth + 1));
    if (type === 14) return size !== 0;
    const start = at;
    at += size;
    if (at > section.byteLength) throw broken('a value ends after the file');
    switch (type) {
      case 2:
        return text(section.subarray(start, at));
      case 3:
        if (size !== 8) throw broken('a double has not 8 bytes');
        return view.getFloat64(start);
      case 4:
        return section.subarray(start, at);
      case 5:
      case 6:
      case 9:
      case 10:
        if (size > 16) throw broken('an integer has more than 16 bytes');
        return section.subarray(start, at).reduce((sum, next) => sum * 256 + next, 0);
      case 8:
        // shorter ones have their leading zero bytes left out, so only four bytes can be negative
        if (size > 4) throw broken('an int32 has more than 4 bytes');
        return section.subarray(start, at).reduce((sum, next) => (sum << 8) | next, 0);
      case 15:
        if (size !== 4) throw broken('a float has not 4 bytes');
        return view.getFloat32(start);
      default:
        throw broken(`there is a value of the unknown type ${type}`);
    }
  }

  function pointed(control: number, depth: number): MmdbValue {
    const bytes = ((control >> 3) & 3) + 1;
    let target = bytes === 4 ? 0 : control & 7;
    for (let n = 0; n < bytes; n++) target = target * 256 + byte();
    const after = at;
    at = target + (pointerBase[bytes] ?? 0);
    const found = value(depth + 1);
    at = after;
    return found;
  }

  function map(size: number, depth: number): MmdbMap {
    const entries: [string, MmdbValue][] = [];
    for (let n = limited(size); n > 0; n--) {
      const key = value(depth + 1);
      if (typeof key !== 'string') throw broken('the key of a map is not text');
      entries.push([key, value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  function sizeOf(control: number): number {
    const size = control & 31;
    if (size < 29) return size;
    if (size === 29) return 29 + byte();
    if (size === 30) return 285 + byte() * 256 + byte();
    return 65_821 + byte() * 65_536 + byte() * 256 + byte();
  }

  function limited(size: number): number {
    if (size > maxValues) throw broken('a map or a list is too long');
    return size;
  }

  function byte(): number {
    const found = section[at++];
    if (found === undefined) throw broken('a value lies after the end of the file');
    return found;
  }
}

const pointerBase: Readonly<Record<number, number>> = { 2: 2048, 3: 526_336 };
const utf8 = new TextDecoder('utf-8', { fatal: true });

function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw broken('a text is not UTF-8');
  }
}

function broken(what: string) {
  return refusal(`the database is damaged: ${what}`);
}
