import { expect, test } from 'vitest';
import { creationConfig } from './creation.ts';

const raw = {
  $schema: './schema.json',
  name: 'office',
  main: 'out/office.worker.mjs',
  workers_dev: true,
  preview_urls: true,
  route: 'office.example.com/*',
  secrets: { required: ['PLUGIN_KEY', 'LDAP_PASSWORD'] },
  migrations: [{ tag: 'v1', new_sqlite_classes: ['List'] }],
};
const settings = { file: 'w.jsonc', name: 'office', definedEnvironments: [], raw };

test('a Worker is created with no address, and with what its code needs', () => {
  expect(creationConfig(settings, '/out/office.worker.mjs')).toEqual({
    name: 'office',
    main: '/out/office.worker.mjs',
    workers_dev: false,
    preview_urls: false,
    routes: [],
    secrets: { required: ['PLUGIN_KEY'] },
    migrations: raw.migrations,
  });
});

test('the section of a stage has no address either', () => {
  const beta = { name: 'office-beta', routes: ['beta.example.com/*'], workers_dev: true };
  const staged = { ...settings, raw: { ...raw, env: { beta, other: {} } }, env: 'beta' };
  expect(creationConfig(staged, '/out/office.worker.mjs')['env']).toEqual({
    beta: {
      name: 'office-beta',
      routes: [],
      workers_dev: false,
      preview_urls: false,
      secrets: { required: ['PLUGIN_KEY'] },
    },
  });
});
