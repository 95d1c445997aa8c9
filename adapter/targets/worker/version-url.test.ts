import { expect, test } from 'vitest';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import { lockedFunction } from '../../../test/support/invoke.ts';
import { newKey } from '../../../test/support/keys.ts';
import { versionUrls } from './version-url.ts';

const id = 'db7cd8d3-4425-4fe7-8c81-01bf963b6067';

function locked(config: LockedFunction['accepts'][number]['config']): LockedFunction {
  const accepts = [{ version: id, files: {}, config, inputs: {} }];
  return { ...lockedFunction('', newKey(), id), target: 'worker', accepts };
}

test.each([
  ['https://office.acme.workers.dev', 'https://db7cd8d3-office.acme.workers.dev'],
  ['https://office.acme.workers.dev/filter', 'https://db7cd8d3-office.acme.workers.dev/filter'],
])('%s: the version is at %s', (address, expected) => {
  expect(versionUrls('office@live', locked({ worker: 'office' }), address)(id)).toBe(expected);
});

test('an object of another Worker is no hindrance', () => {
  const binding = { type: 'durable_object_namespace', class_name: 'Bans', script_name: 'bans' };
  const urls = versionUrls(
    'office@live',
    locked({ 'binding.BANS': binding }),
    'https://office.acme.workers.dev',
  );
  expect(urls(id)).toContain('db7cd8d3-office');
});

const own = { type: 'durable_object_namespace', class_name: 'Bans' };

test.each([
  ['a domain of its own', 'https://office.example.com', {}, 'is not on workers.dev'],
  ['something like workers.dev', 'https://office.acme.workers.dev.example.com', {}, 'is not on workers.dev'],
  [
    'another Worker',
    'https://office.acme.workers.dev',
    { worker: 'team' },
    'not the address of the Worker team',
  ],
  [
    'an object of its own',
    'https://office.acme.workers.dev',
    { 'binding.BANS': own },
    'implements the Durable Object of binding.BANS',
  ],
  [
    'an object of its own, by name',
    'https://office.acme.workers.dev',
    { 'binding.BANS': { ...own, script_name: 'office' } },
    'implements the Durable Object of binding.BANS',
  ],
  ['a name that fills its label', `https://${'o'.repeat(55)}.acme.workers.dev`, {}, 'too long'],
])('%s: refused, with the reason', (_, address, config, why) => {
  expect(() => versionUrls('office@live', locked(config), address)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', happened: expect.stringContaining(why) }),
  );
});
