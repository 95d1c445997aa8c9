import type { Protocol } from './verdict.ts';

/**
 * A user of SFTPGo by its JSON names, https://docs.sftpgo.com/latest/rest-api/. Integers beyond 2^53 are bigints.
 * Unless the adapter says `send: full`, password hashes, secrets and one-time code settings are not in it.
 */
export interface UserRecord {
  readonly id?: number | bigint;
  readonly username?: string;
  /** 1: may log in. */
  readonly status?: number;
  readonly email?: string;
  readonly home_dir?: string;
  /** By virtual path; `{ '/': ['list', 'download'] }`. */
  readonly permissions?: Readonly<Record<string, readonly string[]>> | null;
  readonly public_keys?: readonly string[] | null;
  /** Of type 1 (primary, at most one), 2 (secondary) or 3 (membership). */
  readonly groups?: readonly { readonly name: string; readonly type: number }[] | null;
  readonly filters?: Readonly<Record<string, unknown>> | null;
  readonly filesystem?: Readonly<Record<string, unknown>> | null;
  readonly [field: string]: unknown;
}

/** What every login has. */
export interface Login {
  readonly username: string;
  /** The client's address. */
  readonly ip: string;
  readonly protocol: Protocol | 'OIDC' | '';
  /** As SFTPGo has it; for a user it does not know, an empty record with id 0. */
  readonly user: UserRecord;
  /** SFTPGo does not know the user: accepting makes it one. */
  readonly isNew: boolean;
}

/** A name and a password. */
export interface PasswordLogin extends Login {
  readonly password: string;
}

/** A public key that an SSH client offers, before it proved to own it. SFTPGo asks once for each. */
export interface PublicKeyLogin extends Login {
  /** `ssh-ed25519 AAAA…`: type and base64, as in authorized_keys, without a comment. */
  readonly pubKey: string;
}

/** A client certificate, over FTP or WebDAV. */
export interface TLSCertLogin extends Login {
  /** PEM. */
  readonly tlsCert: string;
}

/** The decision about a login: made by {@link accept} and {@link denyLogin}. */
export type LoginAnswer =
  | { readonly grant: 'merge' | 'replace'; readonly user: UserRecord }
  | { readonly grant: 'unchanged' }
  | { readonly grant: 'none'; readonly reason: string };

/**
 * Lets the user in. What the user may do then is for SFTPGo's record to say, as the answer changes it; the adapter
 * takes no change that its `ceiling` does not name, and no other username.
 *
 * ```ts
 * return accept.merge({ status: 1, home_dir: `/srv/sftp/${username}`, permissions: { '/': ['list', 'download'] } });
 * ```
 */
export const accept = {
  /** Changes these fields and no others; `null` removes one (RFC 7396). For a new user: all that it has. */
  merge(patch: UserRecord): LoginAnswer {
    return { grant: 'merge', user: patch };
  },
  /**
   * This is the whole user: fields that are absent are reset. For answers of an `external_auth_hook`. What the
   * function was not shown, and keys and certificates, stay if they are absent.
   */
  replace(user: UserRecord): LoginAnswer {
    return { grant: 'replace', user };
  },
  /**
   * The user as SFTPGo has it; not for a new one. With a password, SFTPGo 2.5.5 and later store it as the user's if
   * it is not.
   */
  unchanged(): LoginAnswer {
    return { grant: 'unchanged' };
  },
} as const;

/**
 * Refuses the login. The reason goes to the adapter's debug log as at most 200 printable ASCII characters; the client
 * reads what SFTPGo says to every failed login.
 */
export function denyLogin(reason: string): LoginAnswer {
  return { grant: 'none', reason };
}
