import { hash } from 'node:crypto';
import type { Policy } from '../../shapes.ts';
import { cache } from '../shared/cache.ts';
import { lruStore } from '../shared/lru-store.ts';
import type { KmsSection } from './config.ts';
import { decryptRequest } from './requests.ts';

/** Of at most 4 KiB each with AWS KMS: 40 MiB if every secret were that long. */
const maxEntries = 10_000;

/**
 * The memory of Decrypt: what the function answered, which below a master key is a sealed box. It is opened for each
 * call, so a changed master key is never served from here, and no clear text is kept: a secret that was encrypted
 * without a master key is asked for every time. Encrypt and errors are never remembered.
 */
export function decryptCache({ ttl }: KmsSection['decryptCache']): Policy {
  return cache({
    store: lruStore(maxEntries),
    key(call) {
      const asked = decryptRequest(call);
      if (ttl === 0 || asked === undefined || asked.key === '') return undefined;
      // JSON keeps url and payload apart
      return { id: hash('sha256', JSON.stringify([asked.url, asked.payload]), 'base64') };
    },
    lifetime: () => ({ freshMs: ttl, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }),
  });
}
