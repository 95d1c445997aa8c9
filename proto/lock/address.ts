const loopbackHosts = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * A function's URL in its one form: `new URL().href` without a trailing slash, so that both ends build the same
 * @target-uri (RFC 9421 section 2.2.2) from it.
 *
 * Takes the address as written in a lock; returns `{ href }`, or `{ problem }` in words for the reader of the
 * lock: not a URL, not https (http only for a loopback name), or with query, fragment or user info.
 */
export function normaliseAddress(address: string): { href: string } | { problem: string } {
  if (!URL.canParse(address)) return { problem: 'expected an absolute https:// URL' };
  const url = new URL(address);
  if (url.protocol === 'http:' && !loopbackHosts.test(url.hostname)) {
    return { problem: 'expected https:// (http:// only for 127.0.0.0/8, [::1] and localhost)' };
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return { problem: `expected an https:// URL, not ${url.protocol}` };
  }
  if (url.username !== '' || url.password !== '') return { problem: 'expected a URL without user info' };
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(address)) {
    return { problem: 'expected a URL without query and fragment' };
  }
  return { href: url.href.replace(/\/+$/, '') };
}
