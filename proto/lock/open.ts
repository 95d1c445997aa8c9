import { errors, flattenedVerify, importJWK } from 'jose';
import * as z from 'zod';
import { PluginError } from '../error.ts';
import { sha256Hex } from './digest.ts';
import { type Lock, lockSchema, problemOf } from './schema.ts';

/** Media type in the protected header: a signature over a lock is good for nothing else, and no other for a lock. */
export const lockType = 'sftpgo-plugin-lock+jws';

/** A lock of a hundred functions with ten versions each is below 2 MiB. */
export const maxLockBytes = 4 * 1024 * 1024;

/** A public key that may seal locks, by its RFC 7638 thumbprint. */
export interface TrustedSigner {
  readonly keyid: string;
  readonly jwk: { kty: string; crv: string; x: string };
}

const sealed = z.strictObject({
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ protected: z.string(), signature: z.string() }))
    .min(1)
    .max(16),
});

function refuse(place: string, happened: string, expected: string, cause?: unknown): never {
  throw new PluginError('LOCK_INVALID', {
    happened: `${place}: ${happened}`,
    expected,
    remedy: 'Take the lock again from where it was built; the lock in force stays.',
    cause,
  });
}

/** A lock whose seal was verified. */
export interface OpenedLock {
  readonly lock: Lock;
  /** SHA-256 (hex) of the sealed payload: the same whoever signed it. */
  readonly digest: string;
  /** keyids of those who signed. */
  readonly signers: readonly string[];
}

/** Who may have sealed a lock. */
export interface OpenOptions {
  /** The lock's file, for messages. */
  readonly place: string;
  readonly trust: readonly TrustedSigner[];
  /** How many different keys must have signed. */
  readonly threshold: number;
}

/** {@link openSealedLock}, where only the content matters. */
export async function openLock(text: string, options: OpenOptions): Promise<Lock> {
  return (await openSealedLock(text, options)).lock;
}

/**
 * Opens a sealed lock: every signature present must verify under a trusted key, and at least `threshold`
 * different keys must have signed. jose's own generalVerify accepts one good signature among bad ones.
 *
 * Takes the file's text, its name for messages, and who is trusted. Throws LOCK_INVALID.
 */
export async function openSealedLock(text: string, options: OpenOptions): Promise<OpenedLock> {
  const { place, trust, threshold } = options;
  const envelope = parseEnvelope(text, place);
  const signers = new Set<string>();
  let payload: Uint8Array | undefined;
  for (const [index, signature] of envelope.signatures.entries()) {
    const at = `${place}, signature ${index + 1}`;
    try {
      const result = await flattenedVerify(
        { payload: envelope.payload, ...signature },
        async (header) => {
          const signer = trust.find((candidate) => candidate.keyid === header?.kid);
          if (signer === undefined) throw new errors.JWSSignatureVerificationFailed('unknown signer');
          if (header?.['typ'] !== lockType) throw new errors.JWSInvalid('not a lock');
          signers.add(signer.keyid);
          return await importJWK(signer.jwk, 'EdDSA');
        },
        { algorithms: ['EdDSA'] },
      );
      payload = result.payload;
    } catch (cause) {
      refuse(
        at,
        'the seal does not verify',
        'a signature by a key of the trust file over these bytes',
        cause,
      );
    }
  }
  if (signers.size < threshold || payload === undefined) {
    refuse(place, `sealed by ${signers.size} trusted key(s)`, `at least ${threshold} (trust.threshold)`);
  }
  return { lock: parseLock(payload, place), digest: sha256Hex(payload), signers: [...signers] };
}

/**
 * What a file says that looks like a sealed lock, with its seal unchecked: for people who look at it, never for a
 * decision. `signers` are only claimed. Throws LOCK_INVALID.
 */
export function peekLock(text: string, place: string): OpenedLock {
  const { payload, signatures } = parseEnvelope(text, place);
  const bytes = Buffer.from(payload, 'base64url');
  const signers = signatures.map(({ protected: header }) => {
    const { kid } = Object(parseJson(Buffer.from(header, 'base64url').toString(), place));
    return typeof kid === 'string' && /^[\w-]{43}$/.test(kid) ? kid : 'unnamed';
  });
  return { lock: parseLock(bytes, place), digest: sha256Hex(bytes), signers };
}

/** The JWS around a lock. Throws LOCK_INVALID. */
export function parseEnvelope(text: string, place: string): z.infer<typeof sealed> {
  const envelope = sealed.safeParse(parseJson(text, place));
  if (envelope.success) return envelope.data;
  return refuse(
    place,
    'this is not a sealed lock',
    'a JWS in general JSON serialization (payload, signatures)',
  );
}

function parseLock(payload: Uint8Array, place: string): Lock {
  const content = parseJson(new TextDecoder().decode(payload), place);
  const { format } = Object(content);
  if (typeof format === 'number' && format > 1) throw newerFormat(place, format);
  const lock = lockSchema.safeParse(content);
  return lock.success ? lock.data : refuse(place, problemOf(lock.error), 'a lock of format 1');
}

function newerFormat(place: string, format: number): PluginError {
  return new PluginError('LOCK_INVALID', {
    happened: `${place} has format ${format}: a newer release wrote it`,
    expected: 'a lock of format 1',
    remedy: 'Install that release here as well; the lock in force stays.',
  });
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse(place, 'this is not JSON', 'a sealed lock as JSON');
  }
}
