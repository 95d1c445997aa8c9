import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockedFunction, recordingLog } from '../../test/support/invoke.ts';
import { newKey } from '../../test/support/keys.ts';
import { acceptedDigest, openKnownVersions } from './known-versions.ts';

let folder: string;
let log: ReturnType<typeof recordingLog>;
const file = () => join(folder, 'ipfilter.known-versions.json');
const open = () => openKnownVersions({ folder, type: 'ipfilter' }, log);
const known = (digest = 'd', at = '2026-01-01T00:00:00.000Z') => ({ digest, at, facts: { RevisionId: 'r' } });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'known-'));
  log = recordingLog();
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

test('what was verified is known after a restart, until it is forgotten', async () => {
  await open().put('office@live', '7', known());
  expect(await open().get('office@live', '7')).toEqual(known());
  expect(await open().get('office@live', '8')).toBeUndefined();
  expect(await open().get('other@live', '7')).toBeUndefined();
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  await open().forget('office@live', '7');
  expect(await open().get('office@live', '7')).toBeUndefined();
  expect(await readdir(folder)).toEqual(['ipfilter.known-versions.json']);
  expect(log.lines).toEqual([]);
});

test('two processes of a role keep what the other has found', async () => {
  const [one, two] = [open(), open()];
  await Promise.all([one.get('a@live', '1'), two.get('b@live', '1')]);
  await Promise.all([one.put('a@live', '1', known()), two.put('b@live', '1', known())]);
  const after = open();
  expect([await after.get('a@live', '1'), await after.get('b@live', '1')]).toEqual([known(), known()]);
});

test('without a state folder it is known in this process', async () => {
  const memory = openKnownVersions(undefined, log);
  await memory.put('office@live', '7', known());
  expect(await memory.get('office@live', '7')).toEqual(known());
  expect(await openKnownVersions(undefined, log).get('office@live', '7')).toBeUndefined();
});

test('the oldest of more than a hundred go', async () => {
  const versions = Array.from({ length: 101 }, (_, index) => [
    `f@live:${index}`,
    known('d', new Date(index).toISOString()),
  ]);
  await writeFile(file(), JSON.stringify({ format: 1, versions: Object.fromEntries(versions) }), {
    mode: 0o600,
  });
  await open().put('f@live', 'new', known());
  const after = open();
  expect([await after.get('f@live', '1'), await after.get('f@live', '2')]).toEqual([
    undefined,
    expect.anything(),
  ]);
});

test.each<[string, () => Promise<void>]>([
  ['damaged', () => writeFile(file(), '{', { mode: 0o600 })],
  ['of another format', () => writeFile(file(), '{"format":2,"versions":{}}', { mode: 0o600 })],
  ['too large', () => writeFile(file(), ' '.repeat(300_000), { mode: 0o600 })],
  ['writable by others', () => chmod(file(), 0o666)],
])('a file that is %s counts as nothing known, with a WARN, and is written anew', async (_, spoil) => {
  await open().put('office@live', '7', known());
  await spoil();
  const again = open();
  expect(await again.get('office@live', '7')).toBeUndefined();
  expect(log.lines).toEqual([{ level: 'warn', text: expect.stringContaining('cannot be read (') }]);
  await again.put('office@live', '7', known());
  expect(JSON.parse(await readFile(file(), 'utf8')).versions).toEqual({ 'office@live:7': known() });
});

test('a folder that cannot be written is a WARN, and this process goes on', async () => {
  await writeFile(join(folder, 'a file'), '');
  const there = openKnownVersions({ folder: join(folder, 'a file'), type: 'ipfilter' }, log);
  await there.put('office@live', '7', known());
  expect(await there.get('office@live', '7')).toEqual(known());
  expect(log.lines.at(-1)).toEqual({ level: 'warn', text: expect.stringContaining('cannot be written (') });
});

test('the digest of an entry: of target, address, version, files and configuration, in any order', () => {
  const fn = { ...lockedFunction('https://a.example', newKey()), target: 'worker' as const };
  const entry = { version: '7', files: { a: 'x' }, config: { a: '1', b: { c: [1, 2] } }, inputs: {} };
  const digest = acceptedDigest(fn, entry);
  expect(acceptedDigest(fn, { ...entry, config: { b: { c: [1, 2] }, a: '1' }, inputs: { y: 'z' } })).toBe(
    digest,
  );
  const others = [
    acceptedDigest({ ...fn, target: 'https' }, entry),
    acceptedDigest({ ...fn, address: 'https://b.example' }, entry),
    acceptedDigest(fn, { ...entry, version: '8' }),
    acceptedDigest(fn, { ...entry, files: { a: 'y' } }),
    acceptedDigest(fn, { ...entry, config: { a: '1', b: { c: [2, 1] } } }),
  ];
  expect(new Set([digest, ...others]).size).toBe(6);
});

test('what is told without waiting is in the file when it has settled: the process that comes next goes by it', async () => {
  await open().put('office@live', '7', known());
  const versions = open();
  void versions.forget('office@live', '7');
  void versions.put('office@live', '8', known());
  await versions.settled();
  const { versions: stored } = JSON.parse(await readFile(file(), 'utf8'));
  expect(Object.keys(stored)).toEqual(['office@live:8']);
  await open().settled();
});
