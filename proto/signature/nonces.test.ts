import { expect, test } from 'vitest';
import { NonceMemory } from './nonces.ts';

test('a nonce is taken once', () => {
  const memory = new NonceMemory({ maxEntries: 10 });
  expect(memory.add('a', 100, 70)).toBe(true);
  expect(memory.add('a', 100, 70)).toBe(false);
  expect(memory.add('b', 100, 70)).toBe(true);
});

test('it is remembered for as long as a verifier within the skew could accept it, twice over', () => {
  const memory = new NonceMemory({ maxEntries: 10, skewS: 30 });
  memory.add('a', 100, 70);
  expect(memory.add('a', 100, 160)).toBe(false);
  expect(memory.add('a', 100, 161)).toBe(true);
});

test('beyond the bound the oldest goes, and only the oldest', () => {
  const memory = new NonceMemory({ maxEntries: 3 });
  for (const nonce of ['a', 'b', 'c', 'd']) expect(memory.add(nonce, 100, 70)).toBe(true);
  expect(['b', 'c', 'd'].map((nonce) => memory.add(nonce, 100, 70))).toEqual([false, false, false]);
  expect(memory.add('a', 100, 70)).toBe(true);
});

test('a full memory still knows its oldest entry when that very nonce comes again', () => {
  const memory = new NonceMemory({ maxEntries: 2 });
  memory.add('a', 100, 70);
  memory.add('b', 100, 70);
  expect(memory.add('a', 100, 70)).toBe(false);
});
