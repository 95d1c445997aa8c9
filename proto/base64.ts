const chunkBytes = 8192;

/** `String.fromCharCode` of an array-like: it reads nothing but `length` and indices. */
const fromCharCodes = (bytes: ArrayLike<number>): string =>
  String.fromCharCode.apply(null, bytes as number[]);

/** Bytes as base64 of RFC 4648 section 4, padded. Works in Node, Lambda and workerd. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    // in pieces: a call takes a limited number of arguments; not spread, which makes an object for each byte
    binary += fromCharCodes(bytes.subarray(start, start + chunkBytes));
  }
  return btoa(binary);
}

/** Base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Reads base64 in its one canonical form: standard alphabet, padded, no white space, unused bits zero. Two texts
 * for the same bytes would let a message be rewritten without changing what it says.
 *
 * @returns undefined for any other text
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  // atob forgives white space, missing padding and stray bits
  if (btoa(binary) !== text) return undefined;
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
