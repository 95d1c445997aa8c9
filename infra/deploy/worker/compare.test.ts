import { expect, test } from 'vitest';
import type { FoundVersion } from '../../../adapter/targets/worker/found.ts';
import { differences } from './compare.ts';

const module = {
  name: 'office.worker.mjs',
  content_type: 'application/javascript+module',
  content_base64: 'AA==',
};
const uploaded: FoundVersion = {
  id: '',
  main_module: 'office.worker.mjs',
  compatibility_date: '2026-07-01',
  compatibility_flags: [],
  bindings: [
    { name: 'PLUGIN_KEY', type: 'secret_text' },
    { name: 'BANS', type: 'kv_namespace', namespace_id: '1' },
    { name: 'LIST', type: 'durable_object_namespace', class_name: 'List' },
  ],
  modules: [module],
};
const worker = { name: 'office' };
const fields = (found: FoundVersion, settings: object = worker) =>
  differences(uploaded, found, { ...worker, ...settings }).map(({ field }) => field);
const with_ = (name: string, changes: object): FoundVersion => ({
  ...uploaded,
  bindings: (uploaded.bindings ?? []).map((one) => (one.name === name ? { ...one, ...changes } : one)),
});

test('what was uploaded, and what Cloudflare adds to a binding', () => {
  expect(fields({ ...uploaded, id: 'v1' })).toEqual([]);
  expect(fields(with_('LIST', { namespace_id: '2' }))).toEqual([]);
});

test.each<[string, FoundVersion, object?]>([
  ['files.office.worker.mjs', { ...uploaded, modules: [{ ...module, content_base64: 'AQ==' }] }],
  ['files.more.mjs', { ...uploaded, modules: [module, { ...module, name: 'more.mjs' }] }],
  ['mainModule', { ...uploaded, main_module: 'other.mjs' }],
  ['compatibilityDate', { ...uploaded, compatibility_date: '2026-07-02' }],
  ['compatibilityFlags', { ...uploaded, compatibility_flags: ['nodejs_compat'] }],
  ['binding.BANS', with_('BANS', { namespace_id: '2' })],
  ['binding.PLUGIN_KEY', with_('PLUGIN_KEY', { type: 'plain_text', text: 'x' })],
  ['binding.LIST', with_('LIST', { class_name: 'Other' })],
  [
    'binding.STRAY',
    { ...uploaded, bindings: [...(uploaded.bindings ?? []), { name: 'STRAY', type: 'secret_text' }] },
  ],
  ['tailConsumers', uploaded, { tail_consumers: [{ name: 'listener' }] }],
])('%s differs', (field, found, settings) => {
  expect(fields(found, settings)).toContain(field);
});

test('a binding that is missing differs', () => {
  expect(fields({ ...uploaded, bindings: [] })).toEqual([
    'binding.BANS',
    'binding.LIST',
    'binding.PLUGIN_KEY',
  ]);
});
