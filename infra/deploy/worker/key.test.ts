import { expect, test } from 'vitest';
import { keyidOf, newPrivateKey } from '../../../adapter/cli/keys/files.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { keyFor, keyIdOf, keysOfVersion } from './key.ts';

const { d: _, ...placed } = newPrivateKey();
const lockWith = (...keys: object[]) => ({ keys }) as unknown as LockedFunction;
const version = (keyid: string, secret = true) => ({
  id: 'v1',
  bindings: [
    { name: 'PLUGIN_KEY_ID', type: 'plain_text', text: keyid },
    ...(secret ? [{ name: 'PLUGIN_KEY', type: 'secret_text' }] : []),
  ],
});

test('the key of the lock stays when the newest version has it', async () => {
  const keyid = await keyidOf(placed);
  expect(await keyFor(lockWith(placed), version(keyid))).toEqual({ keyid, keys: [placed] });
});

test.each([
  ['nothing was deployed', lockWith(placed), undefined],
  ['the newest version has another key', lockWith(placed), version('another')],
  ['the secret is gone', lockWith(placed), version(await keyidOf(placed), false)],
  ['the lock does not have it', undefined, version(await keyidOf(placed))],
])('a key is made when %s; those of the lock stay with it', async (_name, locked, newest) => {
  const { keyid, keys, secret } = await keyFor(locked, newest);
  const { d, ...made } = JSON.parse(secret ?? '{}');
  expect(d).toHaveLength(43);
  expect(await keyidOf(made)).toBe(keyid);
  expect(keys).toEqual([...(locked?.keys ?? []), made]);
  expect(JSON.stringify(keys)).not.toContain(d);
});

test('a secret under the name of the key id is no key id', () => {
  const bindings = [
    { name: 'PLUGIN_KEY_ID', type: 'secret_text' },
    { name: 'PLUGIN_KEY', type: 'secret_text' },
  ];
  expect(keyIdOf({ id: 'v1', bindings })).toBeUndefined();
});

test('a version in the lock signs with the key that it names; one that names none may sign with any', async () => {
  const { d: __, ...replaced } = newPrivateKey();
  const lock = lockWith(replaced, placed);
  const accepted = (config: object) => ({ version: 'v1', files: {}, config, inputs: {} }) as never;
  const named = (text: string) => accepted({ 'binding.PLUGIN_KEY_ID': { type: 'plain_text', text } });
  expect(await keysOfVersion(lock, named(await keyidOf(placed)))).toEqual([placed]);
  expect(await keysOfVersion(lock, named(await keyidOf(replaced)))).toEqual([replaced]);
  expect(await keysOfVersion(lock, named('stranger'))).toEqual([replaced, placed]);
  expect(await keysOfVersion(lock, accepted({}))).toEqual([replaced, placed]);
});
