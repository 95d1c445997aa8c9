import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeTurn } from './turn.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'turn-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const turn = async (text: string) => await takeTurn(at('writing'), { lock: text });
const written = async () => await readFile(at('lock'), 'utf8');

test('one after the other, and in the end nothing is left of the turns', async () => {
  const first = await turn('first');
  const second = turn('second');
  await first.put('lock', at('lock'));
  await first.end();
  const next = await second;
  expect(await written()).toBe('first');
  await next.put('lock', at('lock'));
  await next.end();
  expect([await written(), await readdir(folder)]).toEqual(['second', ['lock']]);
});

test('who stood still has lost its turn, and writes nothing, in the middle of the next one either', async () => {
  await writeFile(at('lock'), 'before');
  const first = await turn('first');
  const second = await turn('second');
  await expect(first.put('lock', at('lock'))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    remedy: 'Run it again.',
  });
  await first.end();
  expect(await written()).toBe('before');
  await second.put('lock', at('lock'));
  await second.end();
  expect([await written(), await readdir(folder)]).toEqual(['second', ['lock']]);
});

test('a place that nobody may use says so', async () => {
  await expect(takeTurn('/dev/null/writing', {})).rejects.toMatchObject({ code: 'ENOTDIR' });
});
