import { type Duration, durationMs } from './duration.ts';

/** A network protocol of SFTPGo. Hosts up to 2.4 do not say which: the empty string. */
export type Protocol = 'SSH' | 'FTP' | 'DAV' | 'HTTP';

/** All of them. */
export const protocolNames: readonly string[] = ['SSH', 'FTP', 'DAV', 'HTTP'] satisfies Protocol[];

/** What a verdict may say beside yes or no. */
export interface VerdictOptions {
  /**
   * How long the adapter may answer for this address by itself, `'30s'`, `'5m'`. It takes at most five
   * minutes. Left out: every connection asks the function again.
   */
  readonly for?: Duration;
  /**
   * After `for`: how long the adapter still answers by itself, and asks the function again beside it. It takes at most
   * five minutes. Left out: who comes after `for` waits for the function.
   */
  readonly staleWhileRevalidate?: Duration;
  /**
   * After `for`: how long the verdict may stand in while the function cannot be asked; `'0s'`: not at all. The adapter
   * takes at most its `cache.staleIfError`, and that where this is left out.
   */
  readonly staleIfError?: Duration;
  /**
   * The protocols the verdict holds for. Left out: only the one that was asked about. `'all'`: the answer
   * does not depend on the protocol, so one call serves an SFTP client and a browser behind one address.
   */
  readonly protocols?: readonly Protocol[] | 'all';
}

/** The decision about an address: made by {@link allow} and {@link deny}. */
export interface Verdict {
  readonly allowed: boolean;
  /** Why not; for logs, never shown to the client. */
  readonly reason?: string;
  /** Milliseconds the decision may be reused; absent: not at all. */
  readonly forMs?: number;
  /** Milliseconds after those in which it is used once more while the function is asked again; absent: none. */
  readonly staleWhileRevalidateMs?: number;
  /** Milliseconds after `forMs` in which it stands in for a function that cannot be asked; absent: the adapter says. */
  readonly staleIfErrorMs?: number;
  readonly protocols?: readonly Protocol[] | 'all';
  /**
   * How many leading bits of the address the decision depends on: it then holds for every address that shares
   * them. Absent: it holds for the one address. For code that knows the whole rule set, as functions/ipfilter
   * does; widths below /16 (IPv4) and /32 (IPv6) are not used.
   */
  readonly prefixLength?: number;
}

/**
 * Lets the address connect.
 *
 * @throws PluginError INPUT_INVALID for a duration without its unit
 *
 * ```ts
 * return allow({ for: '5m' });
 * ```
 */
export function allow(options: VerdictOptions = {}): Verdict {
  return { allowed: true, ...common(options) };
}

/**
 * Refuses the address. The reason goes to the adapter's debug log as at most 200 printable ASCII characters;
 * SFTPGo closes the connection without a word to the client.
 *
 * @throws PluginError INPUT_INVALID for a duration without its unit
 *
 * ```ts
 * return deny('banned', { for: '5m' });
 * ```
 */
export function deny(reason: string, options: VerdictOptions = {}): Verdict {
  return { allowed: false, reason, ...common(options) };
}

function common(options: VerdictOptions): Omit<Verdict, 'allowed' | 'reason'> {
  const { for: duration, staleWhileRevalidate, staleIfError, protocols } = options;
  return {
    ...(duration === undefined ? {} : { forMs: durationMs(duration) }),
    ...(staleWhileRevalidate && { staleWhileRevalidateMs: durationMs(staleWhileRevalidate) }),
    ...(staleIfError && { staleIfErrorMs: durationMs(staleIfError) }),
    ...(protocols === undefined ? {} : { protocols }),
  };
}
