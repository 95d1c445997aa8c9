/**
 * One IP address. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address it
 * stands for: hosts that listen on `::` report clients so, and a rule must not miss them.
 */
export type Address =
  | {
      readonly family: 4;
      /** The 32 bits as an unsigned integer. */
      readonly bits: number;
    }
  | {
      readonly family: 6;
      /**
       * The eight 16-bit groups as eight UTF-16 code units: a compact map key whose hash is seeded by the
       * engine. (V8 hashes a bigint by its low 64 bits only, which a client chooses.)
       */
      readonly groups: string;
    };

/**
 * Parses IPv4 in strict dotted-decimal form.
 *
 * @returns the 32 bits as an unsigned integer, or -1. Leading zeros (octal to some parsers), short forms and
 * white space are refused.
 */
export function parseIPv4(text: string): number {
  let bits = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 46) {
      if (octet < 0 || dots === 3) return -1;
      bits = bits * 256 + octet;
      octet = -1;
      dots++;
      continue;
    }
    const digit = code - 48;
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return octet < 0 || dots !== 3 ? -1 : bits * 256 + octet;
}

/**
 * Parses IPv6 text (RFC 4291 §2.2, all three forms) without a zone.
 *
 * @returns eight UTF-16 code units, one for each group, or undefined.
 */
export function parseIPv6Groups(text: string): string | undefined {
  const end = text.length;
  if (end < 2 || end > 45) return undefined;
  const groups: number[] = [];
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    at = 2;
  }
  while (at < end) {
    const start = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (at === start || at - start > 4) return undefined;
    if (text.charCodeAt(at) === 46) {
      const tail = parseIPv4(text.slice(start));
      if (tail < 0) return undefined;
      groups.push(tail >>> 16, tail & 0xffff);
      break;
    }
    groups.push(value);
    if (at === end) break;
    if (text.charCodeAt(at) !== COLON || ++at === end) return undefined;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined;
      gap = groups.length;
      at++;
    }
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return undefined;
  if (gap >= 0) groups.splice(gap, 0, ...ZEROS.slice(groups.length));
  return String.fromCharCode(...groups);
}

/** Is this `::ffff:0:0/96`? */
export function isMapped(groups: string): boolean {
  return groups.startsWith('\0\0\0\0\0\uffff');
}

/** The last 32 bits as an unsigned integer: the IPv4 address inside a mapped one. */
export function lowBits(groups: string): number {
  return groups.charCodeAt(6) * 65536 + groups.charCodeAt(7);
}

/**
 * Parses an IPv4 or IPv6 address. A zone (`fe80::1%eth0`, RFC 4007 §11) is dropped: it names an interface of
 * the host that saw the packet and means nothing elsewhere.
 *
 * @returns undefined for anything else: never throws, since addresses arrive from outside.
 */
export function parseAddress(text: string): Address | undefined {
  const bits = parseIPv4(text);
  if (bits >= 0) return { family: 4, bits };
  const percent = text.indexOf('%');
  if (percent >= 0 && percent === text.length - 1) return undefined;
  const groups = parseIPv6Groups(percent < 0 ? text : text.slice(0, percent));
  if (groups === undefined) return undefined;
  return isMapped(groups) ? { family: 4, bits: lowBits(groups) } : { family: 6, groups };
}

/** The canonical text: dotted decimal, or RFC 5952 §4 (lower case, the longest run of zero groups as `::`). */
export function formatAddress(address: Address): string {
  if (address.family === 4) {
    const { bits } = address;
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  }
  const { groups } = address;
  let run = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups.charCodeAt(start + length) === 0) length++;
    if (length > run.length) run = { start, length };
  }
  const hex = Array.from({ length: 8 }, (_, at) => groups.charCodeAt(at).toString(16));
  if (run.length === 1) return hex.join(':');
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`;
}

const COLON = 58;
const ZEROS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
