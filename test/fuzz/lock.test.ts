import fc from 'fast-check';
import { CompactSign, type GeneralJWS, importJWK } from 'jose';
import { expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import { lockType, openLock } from '../../proto/lock/open.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { nodeSigningKey } from '../../proto/signature/node.ts';
import { publicOf } from '../support/keys.ts';
import { newSigner } from '../support/role-folder.ts';
import { damaged, edits } from './damage.ts';
import { change, changedLock, goodLock } from './lock/contents.ts';
import { fuzz, limitMs, same } from './runs.ts';

const [signer, second, stranger] = [await newSigner(), await newSigner(), await newSigner()];
const sealed = await sealLock(goodLock, [signer, second]);
const trust = [signer, second].map(({ keyid, jwk }) => ({ keyid, jwk: publicOf(jwk) }));
const signingKey = await importJWK(signer.jwk, 'EdDSA');
const header = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ownHeader = header({ alg: 'EdDSA', kid: signer.keyid, typ: lockType });
const ownKey = nodeSigningKey(signer.jwk);

async function opened(text: string, threshold: number): Promise<Lock | string> {
  try {
    return await openLock(text, { place: 'fuzz', trust, threshold });
  } catch (error) {
    if (error instanceof PluginError) return error.code;
    throw error;
  }
}

/** Seals whatever it is, as a signer of a lock could; by hand, which costs less than jose. */
async function seal(content: unknown): Promise<string> {
  const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
  const signature = await ownKey.sign(Buffer.from(`${ownHeader}.${payload}`));
  const own = { protected: ownHeader, signature: Buffer.from(signature).toString('base64url') };
  return JSON.stringify({ payload, signatures: [own] });
}

test('the lock itself is opened', async () => {
  expect(await opened(sealed, 2)).toEqual(goodLock);
  expect(await opened(await seal(goodLock), 1)).toEqual(goodLock);
});

test(
  'a damaged lock is refused, or says what was sealed',
  fuzz(
    edits,
    async (made, count) => {
      const found = await opened(new TextDecoder().decode(damaged(Buffer.from(sealed), made)), 2);
      if (found !== 'LOCK_INVALID') same(found, goodLock);
      count(found === 'LOCK_INVALID' ? found : 'opened');
    },
    { opened: 0.0005, LOCK_INVALID: 0.5 },
  ),
  limitMs,
);

const envelope: GeneralJWS = JSON.parse(sealed);
const [one, two] = envelope.signatures;
const strangers: GeneralJWS = JSON.parse(await sealLock(goodLock, [stranger]));
/** A signature of the same key over the same bytes, made for something else. */
async function sealedAs(header: { typ?: string; alg?: string }): Promise<GeneralJWS['signatures'][number]> {
  const compact = await new CompactSign(Buffer.from(envelope.payload, 'base64url'))
    .setProtectedHeader({ alg: 'EdDSA', kid: signer.keyid, ...header })
    .sign(signingKey);
  const [protectedHeader = '', , signature = ''] = compact.split('.');
  return { protected: protectedHeader, signature };
}
const signatures = fc.constantFrom<readonly [name: string, signature: unknown]>(
  ['first', one],
  ['second', two],
  ['a stranger', strangers.signatures[0]],
  ['for something else', await sealedAs({ typ: 'JWT' })],
  ['without a type', await sealedAs({})],
  ['of none', { protected: header({ alg: 'none', kid: signer.keyid, typ: lockType }), signature: '' }],
  [
    'by hmac',
    { protected: header({ alg: 'HS256', kid: signer.keyid, typ: lockType }), signature: one?.signature },
  ],
  ['crossed', { protected: one?.protected, signature: two?.signature }],
  ['unprotected', { header: { alg: 'EdDSA', kid: signer.keyid, typ: lockType }, signature: one?.signature }],
);

test(
  'a lock is opened only with a good signature of as many signers as are wanted, and none beside them that is not good',
  fuzz(
    fc.record({ chosen: fc.array(signatures, { maxLength: 3 }), threshold: fc.integer({ min: 1, max: 3 }) }),
    async ({ chosen, threshold }, count) => {
      const text = JSON.stringify({ ...envelope, signatures: chosen.map(([, signature]) => signature) });
      const names = chosen.map(([name]) => name);
      const isGood =
        names.every((name) => name === 'first' || name === 'second') && new Set(names).size >= threshold;
      const found = await opened(text, threshold);
      same(found, isGood ? goodLock : 'LOCK_INVALID');
      count(isGood ? 'opened' : 'LOCK_INVALID');
    },
    { opened: 0.008, LOCK_INVALID: 0.5 },
  ),
  limitMs,
);

test(
  'content of any form that is not a lock is not one',
  fuzz(
    change,
    async (made, count) => {
      const content = changedLock(made);
      const found = await opened(await seal(content), 1);
      same(found, made.valid ? JSON.parse(JSON.stringify(content)) : 'LOCK_INVALID');
      count(made.valid ? 'opened' : 'LOCK_INVALID');
    },
    { opened: 0.2, LOCK_INVALID: 0.3 },
  ),
  limitMs,
);
