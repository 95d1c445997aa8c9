import { expect, test } from 'vitest';
import { openState, sealState } from './dialogue-state.ts';

const bound = { username: 'alice', requestID: 'd1', step: 2 };
const remembered = { state: { tries: 1, city: 'Köln' }, check: 1 };
const nowMs = 1_800_000_000_000;

test('a state opens for its step, in its two minutes, with its key', async () => {
  const sealed = await sealState('secret', bound, remembered, nowMs);
  expect(sealed).toMatch(/^[\w-]{16}\.[\w-]+$/);
  expect(await openState('secret', bound, sealed, nowMs + 119_999)).toEqual(remembered);
  expect(await openState('secret', bound, sealed, nowMs + 120_000)).toBeUndefined();
  expect(await openState('another', bound, sealed, nowMs)).toBeUndefined();
});

test.each([
  { ...bound, username: 'bob' },
  { ...bound, requestID: 'd2' },
  { ...bound, step: 3 },
  { username: 'alice"', requestID: 'd1', step: 2 },
])('a state does not open for %j', async (other) => {
  const sealed = await sealState('secret', bound, remembered, nowMs);
  expect(await openState('secret', other, sealed, nowMs)).toBeUndefined();
});

test('nothing of it can be read, and no character of it changed', async () => {
  const sealed = await sealState('secret', bound, remembered, nowMs);
  expect(Buffer.from(sealed.split('.')[1] ?? '', 'base64url').includes('city')).toBe(false);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
    expect(await openState('secret', bound, changed, nowMs)).toBeUndefined();
  }
});

test.each(['', '.', 'AAAA', 'AAAAAAAAAAAAAAAA.', '!!!!.????', 'AAAAAAAAAAAAAAAA.AAAA.AAAA'])(
  'what is no state does not open: "%s"',
  async (text) => {
    expect(await openState('secret', bound, text, nowMs)).toBeUndefined();
  },
);

test('two seals of one state differ', async () => {
  expect(await sealState('secret', bound, remembered, nowMs)).not.toBe(
    await sealState('secret', bound, remembered, nowMs),
  );
});

test('a state above 4 KB is a mistake of the author', async () => {
  const small = await sealState('secret', bound, { check: 0, state: 'a'.repeat(2900) }, nowMs);
  expect(small.length).toBeLessThanOrEqual(4096);
  await expect(sealState('secret', bound, { check: 0, state: 'a'.repeat(3200) })).rejects.toThrow(TypeError);
});
