import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { pluginTypes } from '../../proto/plugin-types.ts';
import type { Row } from './row.ts';
import { secrets } from './secrets.ts';

const root = join(import.meta.dirname, '../..');
const output = join(root, '.demo');
let rows: Row[];

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), '--json'],
    { cwd: root, maxBuffer: 1 << 24 },
  );
  rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}, 400_000);

test('every RPC of every type is accepted once and refused once, and every row is as expected', () => {
  expect(rows.filter(({ ok }) => !ok)).toEqual([]);
  const all = Object.entries(pluginTypes).flatMap(([type, { service }]) =>
    service.methods.map(({ name }) => `${type}/${name}`),
  );
  const with_ = (results: readonly string[]) =>
    new Set(rows.filter(({ result }) => results.includes(result)).map(({ type, rpc }) => `${type}/${rpc}`));
  expect(all).toHaveLength(20);
  expect([...with_(['ok', 'allowed'])].sort()).toEqual([...all].sort());
  expect([...with_(['refused'])].sort()).toEqual([...all].sort());
});

test('verified rows say which key and which code; Lambda and local prove it by the platform', () => {
  const evidence = { lambda: 'platform', local: 'platform', https: 'claimed' };
  for (const row of rows.filter(({ result }) => ['ok', 'allowed', 'denied', 'not found'].includes(result))) {
    expect(row).toMatchObject({
      evidence: evidence[row.target],
      keyid: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(row.digest).toMatch(row.target === 'lambda' ? /^\d+$/ : /^[0-9a-f]{64}$/);
  }
  expect(rows.filter(({ result }) => result === 'refused').every(({ keyid }) => keyid === null)).toBe(true);
});

test('every type is tampered with in four ways, and each is refused', () => {
  const ways = [/^one byte of/, /^an old answer/, /^another function's key/, /^rebuilt from/];
  for (const type of Object.keys(pluginTypes)) {
    for (const way of ways) {
      const tampered = rows.filter((row) => row.type === type && way.test(row.case));
      expect(tampered.map(({ result }) => result)).toContain('refused');
      expect(tampered.every(({ result }) => result === 'refused')).toBe(true);
    }
  }
});

test('no master key, password hash, TOTP secret or recovery code crossed the wire', async () => {
  const files = (await readdir(output)).filter((name) => name.endsWith('.jsonl'));
  expect(files.sort()).toEqual(['wire-https.jsonl', 'wire-lambda.jsonl']);
  for (const name of files) {
    const text = await readFile(join(output, name), 'utf8');
    expect(text.length).toBeGreaterThan(1000);
    for (const [what, secret] of Object.entries(secrets)) {
      if (what === 'username') continue;
      expect(text.includes(secret), `${what} in ${name}`).toBe(false);
      expect(text.includes(Buffer.from(secret).toString('base64')), `${what} in base64 in ${name}`).toBe(
        false,
      );
    }
  }
});
