import { expect, test } from 'vitest';
import { addressOf } from './address.ts';
import type { WorkerSettings } from './settings.ts';

const api = { subdomain: async () => 'acme' };
const settings = (own: object): WorkerSettings => ({
  file: 'office.wrangler.jsonc',
  name: 'office',
  raw: {},
  definedEnvironments: [],
  ...own,
});

test.each([
  ['workers.dev', { workers_dev: true }, 'https://office.acme.workers.dev'],
  [
    'a custom domain',
    { routes: [{ pattern: 'office.example.com', custom_domain: true }], workers_dev: true },
    'https://office.example.com',
  ],
  ['a route', { route: 'office.example.com/*' }, 'https://office.example.com'],
  [
    'the first of two routes',
    { routes: [{ pattern: 'a.example.com/*' }, 'b.example.com/*'] },
    'https://a.example.com',
  ],
  [
    'a proxy in front of it',
    { vars: { PLUGIN_URL: 'https://edge.example.com/' }, workers_dev: true },
    'https://edge.example.com',
  ],
])('%s is the address', async (_, own, address) => {
  expect(await addressOf(settings(own), api)).toBe(address);
});

test.each([
  ['nothing at all', {}],
  ['part of a host', { routes: ['example.com/office/*'] }],
  ['many hosts', { routes: ['*.example.com/*'] }],
  ['one page', { route: 'office.example.com' }],
  ['clear text', { vars: { PLUGIN_URL: 'http://edge.example.com' } }],
])('%s is none', async (_, own) => {
  await expect(addressOf(settings(own), api)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('workers.dev without a subdomain is none', async () => {
  const account = { subdomain: async () => undefined };
  await expect(addressOf(settings({ workers_dev: true }), account)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining('subdomain'),
  });
});
