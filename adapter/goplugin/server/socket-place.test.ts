import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSocketPlace } from './socket-place.ts';

let base = '';

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'place-'));
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

const mode = (path: string) => statSync(path).mode & 0o777;

test('a private folder in TMPDIR, removed at the end', () => {
  const place = createSocketPlace({ TMPDIR: base });
  expect(dirname(dirname(place.path))).toBe(base);
  expect(mode(dirname(place.path))).toBe(0o700);
  place.remove();
  place.remove();
  expect(existsSync(dirname(place.path))).toBe(false);
});

test('in /tmp with an empty environment', () => {
  const place = createSocketPlace({});
  expect(place.path).toMatch(/^\/tmp\/plugin-\w{6}\/s$/);
  place.remove();
});

test('PLUGIN_UNIX_SOCKET_DIR comes first: directly in a closed folder, where a container host looks for it', () => {
  const place = createSocketPlace({ PLUGIN_UNIX_SOCKET_DIR: base, TMPDIR: '/nowhere' });
  expect(dirname(place.path)).toBe(base);
  writeFileSync(place.path, '');
  place.remove();
  expect(existsSync(place.path)).toBe(false);
  expect(existsSync(base)).toBe(true);
});

test('an open PLUGIN_UNIX_SOCKET_DIR gets a private folder inside', () => {
  chmodSync(base, 0o777);
  const place = createSocketPlace({ PLUGIN_UNIX_SOCKET_DIR: base });
  expect(dirname(dirname(place.path))).toBe(base);
  expect(mode(dirname(place.path))).toBe(0o700);
});

test('the group of the host gets the socket and the way to it', () => {
  const group = String(process.getgid?.());
  const place = createSocketPlace({ TMPDIR: base, PLUGIN_UNIX_SOCKET_GROUP: group });
  writeFileSync(place.path, '');
  place.share();
  expect(mode(place.path)).toBe(0o660);
  expect(mode(dirname(place.path))).toBe(0o710);
});

test.each([
  ['a folder that is not there', { TMPDIR: '/nowhere/at/all' }, 'ENOENT'],
  ['a path too long for a socket', { TMPDIR: `/tmp/${'x'.repeat(90)}` }, '1'],
  ['a path that breaks the line', { TMPDIR: '/tmp/a|b' }, 'without "|"'],
  ['an unknown group', { PLUGIN_UNIX_SOCKET_GROUP: 'no-such-group' }, 'no-such-group'],
])('%s is told clearly', (_, env, message) => {
  expect(() => createSocketPlace(env)).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }),
  );
});

test('the longest path that fits is taken, one more byte is not', () => {
  const fits = 107 - '/plugin-XXXXXX/s'.length;
  const folder = (length: number) => `/tmp/${'x'.repeat(length - 5)}`;
  expect(() => createSocketPlace({ TMPDIR: folder(fits) })).toThrow('ENOENT');
  expect(() => createSocketPlace({ TMPDIR: folder(fits + 1) })).toThrow('at most 107 bytes');
});
