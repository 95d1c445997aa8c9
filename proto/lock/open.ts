import { errors, flattenedVerify, importJWK } from 'jose';
import * as z from 'zod';
import { PluginError } from '../error.ts';
import { type Lock, lockSchema, problemOf } from './schema.ts';
import { lockType } from './seal.ts';

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

/**
 * Opens a sealed lock: every signature present must verify under a trusted key, and at least `threshold`
 * different keys must have signed. jose's own generalVerify accepts one good signature among bad ones.
 *
 * Takes the file's text, its name for messages, and who is trusted; returns the lock. Throws LOCK_INVALID.
 */
export async function openLock(
  text: string,
  options: { place: string; trust: readonly TrustedSigner[]; threshold: number },
): Promise<Lock> {
  const { place, trust, threshold } = options;
  const envelope = sealed.safeParse(parseJson(text, place));
  if (!envelope.success) {
    refuse(place, 'this is not a sealed lock', 'a JWS in general JSON serialization (payload, signatures)');
  }
  const signers = new Set<string>();
  let payload: Uint8Array | undefined;
  for (const [index, signature] of envelope.data.signatures.entries()) {
    const at = `${place}, signature ${index + 1}`;
    try {
      const result = await flattenedVerify(
        { payload: envelope.data.payload, ...signature },
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
  const lock = lockSchema.safeParse(parseJson(new TextDecoder().decode(payload), place));
  if (!lock.success) refuse(place, problemOf(lock.error), 'a lock of format 1');
  return lock.data;
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse(place, 'this is not JSON', 'a sealed lock as JSON');
  }
}
