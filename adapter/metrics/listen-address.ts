/** Where figures are served: a port of this machine alone, or a unix socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Reads `127.0.0.1:9464`, `[::1]:9464` or `unix:/run/sftpgo/ipfilter.sock`.
 *
 * Returns undefined for anything else, an address that other machines reach among it.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const path = /^unix:(\/.{1,100})$/.exec(text)?.[1];
  if (path !== undefined) return { path };
  const [, v4, v6, port] = /^(?:(127(?:\.\d{1,3}){3})|\[(::1)\]):(\d{1,5})$/.exec(text) ?? [];
  const host = v4 ?? v6;
  if (host === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}
