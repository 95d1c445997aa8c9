import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { PrivateJwk } from '../../../proto/keys/jwk.ts';

/** In every canary, and nowhere else. Letters and digits: no way of escaping text changes them. */
const core = 'Zq7canaryZq7';

/** Twelve bytes, and what tells one canary from the others; short enough for an Ed25519 seed. */
function word(name: string): string {
  return `${core}.${name}.`;
}

/** A secret in text: `"`, `\`, a line break and `é` make every encoder escape something. */
export function canary(name: string): string {
  return `${word(name)}"\\\né${core}`;
}

/** A secret of letters, digits, dots and hyphens. */
export function plainCanary(name: string): string {
  return `${word(name)}${core}`;
}

/** 32 bytes that hold a canary, as the keys of boxes and signatures are. */
export function canaryBytes(name: string): Buffer {
  return Buffer.from(word(name).padEnd(32, core), 'latin1').subarray(0, 32);
}

/** A key that signs, whose seed is a canary: found in the file as base64url. */
export function canaryKey(name: string): PrivateJwk {
  const seed = canaryBytes(name);
  // PKCS #8 of an Ed25519 key: a fixed head and the seed (RFC 8410 section 7)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x, d: seed.toString('base64url') };
}

/** What is left of the core, whatever stands around it, when a text that holds it is written so. */
function formsOfCore(): readonly string[] {
  const bytes = Buffer.from(core, 'latin1');
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const inBase64Url = inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const inHex = bytes.toString('hex');
  const inDecimals = [...bytes].join(',');
  return [...new Set([core, ...inBase64, ...inBase64Url, inHex, inHex.toUpperCase(), inDecimals])];
}

const forms = formsOfCore();

/** The first piece of a text that shows a canary, raw, in base64, base64url, hexadecimal or JSON; undefined: none does. */
export function findCanary(text: string): string | undefined {
  for (const form of forms) {
    const at = text.indexOf(form);
    if (at >= 0) return text.slice(Math.max(0, at - 200), at + form.length + 100);
  }
  return undefined;
}

/** The names of the canaries that a text shows raw. */
export function canaryNames(text: string): readonly string[] {
  return [...text.matchAll(/Zq7canaryZq7\.([a-z0-9-]+)\./g)].map(([, name = '']) => name);
}
