import { expect, test } from 'vitest';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { lockedFunction } from '../../test/support/invoke.ts';
import { newKey } from '../../test/support/keys.ts';
import { lockWith } from '../../test/support/role-folder.ts';
import { diffLocks, type LockChange } from './diff.ts';
import { keyidsOf } from './text.ts';

const key = newKey();
const version = (number: string, more: Partial<LockedFunction['accepts'][number]> = {}) => ({
  version: number,
  files: { 'office.lambda.zip': 'a'.repeat(64) },
  config: { runtime: 'nodejs24.x', role: 'arn:aws:iam::123456789012:role/office' },
  inputs: { 'hono@4.13.18': 'b'.repeat(64), '@noble/hashes@2.4.0': 'c'.repeat(64) },
  ...more,
});
const office: LockedFunction = {
  ...lockedFunction('arn:aws:lambda:eu-central-1:123456789012:function:office', key),
  target: 'lambda',
  accepts: [version('7')],
};

async function differences(after: Partial<LockedFunction>): Promise<Omit<LockChange, 'function'>[]> {
  const changes = await diffLocks(
    lockWith({ 'office@live': office }),
    lockWith({ 'office@live': { ...office, ...after } }, { seq: 2 }),
  );
  expect(new Set(changes.map((change) => change.function)).size).toBeLessThan(2);
  return changes.map(({ function: _, ...change }) => change);
}

test('equal functions have no differences, whatever the seq', async () => {
  expect(await differences({})).toEqual([]);
});

test('functions that came and went', async () => {
  expect(await diffLocks(lockWith({ 'office@live': office }), lockWith({ 'gate@live': office }))).toEqual([
    {
      function: 'gate@live',
      field: 'function',
      before: undefined,
      after: `ipfilter, lambda, ${office.address}`,
    },
    {
      function: 'office@live',
      field: 'function',
      before: `ipfilter, lambda, ${office.address}`,
      after: undefined,
    },
  ]);
});

test('address, type, target and calls', async () => {
  expect(await differences({ address: 'https://a.example', target: 'https', handles: ['CheckIP'] })).toEqual([
    { field: 'address', before: office.address, after: 'https://a.example' },
    { field: 'handles', before: 'CheckIP, Reload', after: 'CheckIP' },
    { field: 'target', before: 'lambda', after: 'https' },
  ]);
});

test('a next version: its files, settings and packages against the one it follows', async () => {
  const next = version('8', {
    files: { 'office.lambda.zip': 'd'.repeat(64) },
    config: { runtime: 'nodejs26.x', role: 'arn:aws:iam::123456789012:role/office', layers: ['x', 'y'] },
    inputs: {
      'hono@4.13.19': 'e'.repeat(64),
      'zod@4.6.7': 'f'.repeat(64),
      '@noble/hashes@2.4.0': '0'.repeat(64),
    },
  });
  expect(await differences({ accepts: [version('7'), next] })).toEqual([
    { field: 'version', before: undefined, after: '8' },
    { field: 'file office.lambda.zip', before: 'a'.repeat(64), after: 'd'.repeat(64) },
    { field: 'config layers', before: undefined, after: '["x","y"]' },
    { field: 'config runtime', before: 'nodejs24.x', after: 'nodejs26.x' },
    { field: 'input hono', before: '4.13.18', after: '4.13.19' },
    { field: 'input zod', before: undefined, after: '4.6.7' },
    {
      field: 'input @noble/hashes',
      before: `2.4.0, files ${'c'.repeat(64)}`,
      after: `2.4.0, files ${'0'.repeat(64)}`,
    },
  ]);
});

test('a setting that changed under the same version, and a package that is gone', async () => {
  const changed = version('7', {
    config: { runtime: 'nodejs24.x' },
    inputs: { 'hono@4.13.18': 'b'.repeat(64) },
  });
  expect(await differences({ accepts: [changed] })).toEqual([
    { field: 'config role', before: 'arn:aws:iam::123456789012:role/office', after: undefined },
    { field: 'input @noble/hashes', before: '2.4.0', after: undefined },
  ]);
});

test('two versions of a package in one bundle, of which one is updated', async () => {
  const two = (one: string) => ({ 'hono@4.0.0': 'a'.repeat(64), [`hono@${one}`]: 'b'.repeat(64) });
  const before = lockWith({
    'office@live': { ...office, accepts: [version('7', { inputs: two('4.1.0') })] },
  });
  const after = lockWith({ 'office@live': { ...office, accepts: [version('7', { inputs: two('4.2.0') })] } });
  expect(await diffLocks(before, after)).toEqual([
    { function: 'office@live', field: 'input hono', before: '4.0.0, 4.1.0', after: '4.0.0, 4.2.0' },
  ]);
});

test('the bundles of one https build are each compared with the same bundle of the build before', async () => {
  const inputs = { 'hono@4.13.18': 'b'.repeat(64) };
  const build = (digit: string): LockedFunction['accepts'] =>
    ['worker', 'node'].map((runtime) => ({
      version: `${runtime}-${digit}`,
      files: { [`office.${runtime}.mjs`]: digit.repeat(64) },
      config: {},
      inputs,
    }));
  const lock = (digit: string) =>
    lockWith({ 'office@live': { ...lockedFunction('https://a.example', key), accepts: build(digit) } });
  expect((await diffLocks(lock('1'), lock('2'))).filter(({ field }) => field !== 'version')).toEqual([
    expect.objectContaining({
      field: 'file office.worker.mjs',
      before: '1'.repeat(64),
      after: '2'.repeat(64),
    }),
    expect.objectContaining({ field: 'file office.node.mjs', before: '1'.repeat(64), after: '2'.repeat(64) }),
  ]);
});

test('keys by their keyid', async () => {
  const other = { ...office, keys: lockedFunction('https://a.example', newKey()).keys };
  const [before] = await keyidsOf(office);
  const [after] = await keyidsOf(other);
  expect(await differences({ keys: other.keys })).toEqual([
    { field: 'key', before, after: undefined },
    { field: 'key', before: undefined, after },
  ]);
});
