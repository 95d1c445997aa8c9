import { expect, test } from 'vitest';
import { checkSettings } from './settings.ts';

const good = {
  file: 'office.wrangler.jsonc',
  name: 'office',
  definedEnvironments: [],
  raw: {},
  no_bundle: true,
  version_metadata: { binding: 'CF_VERSION_METADATA' },
  secrets: { required: ['PLUGIN_KEY'] },
  kv_namespaces: [{ binding: 'BANS', id: '0123456789abcdef0123456789abcdef' }],
  vars: { PLUGIN_FUNCTION: 'office@live' },
  dependencies_instrumentation: { enabled: false },
};

test('a configuration with everything that a function needs', () => {
  expect(() => checkSettings(good, 'office@live')).not.toThrow();
});

test.each([
  ['a bundler', { no_bundle: false }, 'no_bundle'],
  ['no way to know the version', { version_metadata: undefined }, 'version_metadata'],
  ['a version id under another name', { version_metadata: { binding: 'V' } }, 'version_metadata'],
  ['a key among the variables', { vars: { PLUGIN_KEY: 'x' } }, 'the variable PLUGIN_KEY'],
  ['a key that may be missing', { secrets: { required: ['OTHER'] } }, 'PLUGIN_KEY is not required'],
  ['the name of another function', { vars: { PLUGIN_FUNCTION: 'team@live' } }, 'PLUGIN_FUNCTION'],
  ['somebody who listens', { tail_consumers: [{ service: 'other' }] }, 'tail_consumers'],
  ['files', { assets: { directory: 'public' } }, 'assets'],
  ['a namespace that is to be made', { kv_namespaces: [{ binding: 'BANS' }] }, 'BANS'],
  ['the list of packages', { dependencies_instrumentation: undefined }, 'dependencies_instrumentation'],
])('%s is refused by its field', (_, changes, named) => {
  const settings = { ...good, ...changes } as Parameters<typeof checkSettings>[0];
  expect(() => checkSettings(settings, 'office@live')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', happened: expect.stringContaining(named) }),
  );
});
