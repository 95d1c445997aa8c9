import * as z from 'zod/mini';
import type { UserRecord } from '../kit/index.ts';
import { parseHash } from './password/check.ts';
import type { PasswordCheck } from './password/password-check.ts';
import { parsePublicKey } from './public-key.ts';
import { type OneTimeCodes, oneTimeCodes } from './totp.ts';

/** A user as a list, a file or a table has it. */
export interface StoredUser {
  /** As in SFTPGo, letter by letter. */
  readonly username: string;
  /** A hash: argon2id, bcrypt, or another that docs/auth-function.md lists. Absent: no login by password. */
  readonly password?: string;
  /** Lines as in authorized_keys, without options. */
  readonly publicKeys?: readonly string[];
  /** Client certificates of FTP and WebDAV, which SFTPGo has checked against its CA. */
  readonly tls?: {
    /** SHA-256 of the certificate, hex, with or without colons. */
    readonly fingerprints?: readonly string[];
    /** Any certificate with this common name. */
    readonly commonName?: string;
  };
  /** A second factor: the SSH dialogue asks for its code after the password. */
  readonly totp?: {
    /** Base32, as in the QR code. */
    readonly secret: string;
    /** Where a password alone is not enough; absent: everywhere. */
    readonly protocols?: readonly string[];
    readonly digits?: number;
    /** In seconds. */
    readonly period?: number;
    readonly algorithm?: string;
  };
  /** What the user has in SFTPGo: a merge patch (RFC 7396) on its record. */
  readonly settings?: UserRecord;
  readonly disabled?: boolean;
}

/** A user whose texts were read once. */
export interface KnownUser {
  readonly username: string;
  readonly check: PasswordCheck | undefined;
  /** `type base64`. */
  readonly publicKeys: ReadonlySet<string>;
  /** 64 lower-case hex digits. */
  readonly fingerprints: ReadonlySet<string>;
  readonly commonName: string | undefined;
  readonly codes: OneTimeCodes | undefined;
  readonly settings: UserRecord;
  readonly disabled: boolean;
}

const text = z.string().check(z.minLength(1), z.maxLength(255));
const userSchema = z.strictObject({
  username: text,
  password: z.optional(z.string()),
  publicKeys: z.optional(z.array(z.string())),
  tls: z.optional(
    z.strictObject({ fingerprints: z.optional(z.array(z.string())), commonName: z.optional(text) }),
  ),
  totp: z.optional(
    z.strictObject({
      secret: z.string(),
      protocols: z.optional(z.array(z.enum(['SSH', 'FTP', 'DAV', 'HTTP']))),
      digits: z.optional(z.number().check(z.gte(6), z.lte(8))),
      period: z.optional(z.number().check(z.gte(15), z.lte(300))),
      algorithm: z.optional(z.enum(['SHA1', 'SHA256', 'SHA512'])),
    }),
  ),
  settings: z.optional(z.record(z.string(), z.unknown())),
  disabled: z.optional(z.boolean()),
});

/** What is decided by the login itself, and not by settings. */
const ownFields = ['id', 'username', 'password', 'public_keys'];

/**
 * Reads a user out of a store. Returns it, or `{ problem }` in words, without a part of a hash or a secret.
 */
export function parseStoredUser(given: unknown): KnownUser | { readonly problem: string } {
  const parsed = userSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { problem: `${issue?.path.join('.') || 'the user'}: ${issue?.message ?? 'not a user'}` };
  }
  const { username, password, tls, totp, settings = {}, disabled = false } = parsed.data;
  const hash = password === undefined ? undefined : parseHash(password);
  if (hash !== undefined && 'problem' in hash) return { problem: `password: ${hash.problem}` };
  const publicKeys = new Set<string>();
  for (const [index, line] of (parsed.data.publicKeys ?? []).entries()) {
    const key = parsePublicKey(line);
    if ('problem' in key) return { problem: `publicKeys.${index}: ${key.problem}` };
    publicKeys.add(key.key);
  }
  const fingerprints = (tls?.fingerprints ?? []).map((each) => each.replaceAll(':', '').toLowerCase());
  if (!fingerprints.every((each) => /^[0-9a-f]{64}$/.test(each))) {
    return { problem: 'tls.fingerprints: expected SHA-256 in hex' };
  }
  const codes = totp === undefined ? undefined : oneTimeCodes(totp);
  if (codes !== undefined && 'problem' in codes) return { problem: `totp: ${codes.problem}` };
  const own = ownFields.find((field) => Object.hasOwn(settings, field));
  if (own !== undefined) return { problem: `settings.${own}: belongs to the login, not to the settings` };
  return {
    username,
    check: hash?.check,
    publicKeys,
    fingerprints: new Set(fingerprints),
    commonName: tls?.commonName,
    codes,
    settings,
    disabled,
  };
}
