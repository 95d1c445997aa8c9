import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import { openLock } from '../../proto/lock/open.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { lockSchema } from '../../proto/lock/schema.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { lockedFunction } from '../support/invoke.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { lockWith, newSigner } from '../support/role-folder.ts';
import { damaged, limitMs, parameters } from './runs.ts';

const [signer, second] = [await newSigner(), await newSigner()];
const lock = lockWith({ 'office@live': lockedFunction('https://office.example.com', newKey()) });
const sealed = new TextEncoder().encode(await sealLock(lock, [signer, second]));
const trust = [signer, second].map(({ keyid, jwk }) => ({ keyid, jwk: publicOf(jwk) }));

async function opened(bytes: Uint8Array): Promise<Lock | string> {
  try {
    return await openLock(new TextDecoder().decode(bytes), { place: 'fuzz', trust, threshold: 2 });
  } catch (error) {
    if (error instanceof PluginError) return error.code;
    throw error;
  }
}

test(
  'a damaged lock is refused, or says what was sealed',
  async () => {
    const property = fc.asyncProperty(damaged(sealed), async (bytes) => {
      const found = await opened(bytes);
      expect(found === 'LOCK_INVALID' || found).toEqual(found === 'LOCK_INVALID' ? true : lock);
    });
    await fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'content of any form that is not a lock is not one',
  () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom('', '$LATEST', 'http://example.com', Number.POSITIVE_INFINITY, -1),
    );
    const key = fc.constantFrom('format', 'seq', 'issued', 'expires', 'functions', '__proto__', 'extra');
    const inner = fc.constantFrom(
      'type',
      'target',
      'address',
      'handles',
      'accepts',
      'keys',
      '__proto__',
      'extra',
    );
    const property = fc.property(key, inner, value, fc.boolean(), (top, field, content, deep) => {
      const office = { ...lock.functions['office@live'], ...(deep ? { [field]: content } : {}) };
      const changed = { ...lock, functions: { 'office@live': office }, ...(deep ? {} : { [top]: content }) };
      const parsed = lockSchema.safeParse(changed);
      if (parsed.success)
        expect(lockSchema.safeParse(JSON.parse(JSON.stringify(parsed.data))).success).toBe(true);
    });
    fc.assert(property, parameters);
  },
  limitMs,
);
