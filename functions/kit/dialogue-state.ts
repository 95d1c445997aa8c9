import { decodeBase64, encodeBase64Url } from '../../proto/base64.ts';

/** What a sealed state belongs to; it opens for nothing else. */
export interface Bound {
  readonly username: string;
  readonly requestID: string;
  /** The step that may open it. */
  readonly step: number;
}

/** What the function remembers from one step of a dialogue to the next. */
export interface Remembered {
  /** The author's own. */
  readonly state?: unknown;
  /** What the host was asked to check: 0 nothing, 1 the password, 2 the one-time code. */
  readonly check: number;
}

/** SSH servers end a login after two minutes. */
const lifeMs = 120_000;
/** Of the header that carries it: the adapter takes no more. */
const maxLength = 4096;

const utf8 = new TextEncoder();

/**
 * Seals the state of a dialogue for its next step: AES-256-GCM under a key derived from the function's own (HKDF,
 * RFC 5869), so that the adapter can keep it and nobody can read, change or exchange it.
 *
 * @param secret the function's private key, base64url
 * @throws TypeError when the state is no JSON or takes more than 4 KB sealed
 */
export async function sealState(
  secret: string,
  bound: Bound,
  remembered: Remembered,
  nowMs = Date.now(),
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = JSON.stringify({ ...remembered, expiresMs: nowMs + lifeMs });
  if (text.length > maxLength) throw tooLarge();
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: nameOf(bound) },
    await stateKey(secret),
    utf8.encode(text),
  );
  const value = `${encodeBase64Url(iv)}.${encodeBase64Url(new Uint8Array(sealed))}`;
  if (value.length > maxLength) throw tooLarge();
  return value;
}

/** Opens a state; undefined when it is not one, is not for this step of this dialogue, or is older than two minutes. */
export async function openState(
  secret: string,
  bound: Bound,
  value: string,
  nowMs = Date.now(),
): Promise<Remembered | undefined> {
  const [iv, sealed, ...more] = value.split('.').map(fromBase64Url);
  if (iv?.length !== 12 || sealed === undefined || more.length > 0) return undefined;
  try {
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv, additionalData: nameOf(bound) },
      await stateKey(secret),
      sealed,
    );
    const { expiresMs, ...remembered } = JSON.parse(new TextDecoder().decode(opened));
    return expiresMs > nowMs ? remembered : undefined;
  } catch {
    return undefined;
  }
}

async function stateKey(secret: string) {
  const material = await crypto.subtle.importKey('raw', utf8.encode(secret), 'HKDF', false, ['deriveKey']);
  const info = utf8.encode('sftpgo-plugin-serverless dialogue state');
  return await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

function nameOf({ username, requestID, step }: Bound): Uint8Array<ArrayBuffer> {
  return utf8.encode(JSON.stringify([username, requestID, step]));
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4);
  return decodeBase64(padded) as Uint8Array<ArrayBuffer> | undefined;
}

function tooLarge(): TypeError {
  return new TypeError(
    'the state of the dialogue takes more than 4 KB: store it, and keep its name in the state',
  );
}
