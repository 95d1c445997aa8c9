import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCaller, toAnswer, toRequest } from './fixtures/caller.ts';
import { ipfilter } from './ipfilter.ts';
import { webRuntime } from './runtime.ts';
import { readSettings } from './settings.ts';
import { allow } from './verdict.ts';

const { env } = createCaller();
const other = createCaller();
let logged: string[] = [];

beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => vi.restoreAllMocks());

const key = JSON.parse(env.PLUGIN_KEY) as { d: string; x: string };

test.each<[string, Record<string, unknown>, string]>([
  ['no name', { PLUGIN_FUNCTION: undefined }, 'PLUGIN_FUNCTION is missing'],
  ['a name without a stage', { PLUGIN_FUNCTION: 'office' }, 'PLUGIN_FUNCTION is not name@stage'],
  ['no callers', { PLUGIN_CALLERS: '' }, 'PLUGIN_CALLERS is missing'],
  ['an empty set of callers', { PLUGIN_CALLERS: '{"keys":[]}' }, 'PLUGIN_CALLERS has no keys'],
  ['a private key among the callers', { PLUGIN_CALLERS: `{"keys":[${env.PLUGIN_KEY}]}` }, 'is a private key'],
  ['no key', { PLUGIN_KEY: undefined }, 'PLUGIN_KEY is missing'],
  ['half of a key', { PLUGIN_KEY: env.PLUGIN_KEY.slice(0, -5) }, 'PLUGIN_KEY is not JSON'],
  ['a public key', { PLUGIN_KEY: JSON.stringify({ ...key, d: undefined }) }, 'PLUGIN_KEY has no usable d'],
  [
    'a key of two halves',
    { PLUGIN_KEY: JSON.stringify({ ...key, x: (JSON.parse(other.env.PLUGIN_KEY) as typeof key).x }) },
    'do not belong together',
  ],
  [
    'an address without TLS',
    { PLUGIN_URL: 'http://office.example' },
    'PLUGIN_URL is no public address (expected https',
  ],
  ['an address with a query', { PLUGIN_URL: 'https://office.example/?a' }, 'PLUGIN_URL is no public address'],
])('%s: 503 for the caller, the name and never the value for the log', async (_, change, text) => {
  const plugin = ipfilter({ checkIP: () => allow() });
  const broken = { ...env, ...change };
  const caller = createCaller();
  for (let n = 0; n < 2; n++) {
    const answer = await toAnswer(await plugin.fetch(toRequest(await caller.sign()), broken));
    expect(answer.status).toBe(503);
    expect(answer.json).toEqual({
      code: 'unavailable',
      message: 'the function is not set up; its log says why',
    });
  }
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(text);
  expect(logged[0]).not.toContain(key.d.slice(0, 12));
});

test('an environment that is none is a setting that is missing', async () => {
  const plugin = ipfilter({ checkIP: () => allow() });
  expect((await plugin.fetch(toRequest(await createCaller().sign()), undefined)).status).toBe(503);
  expect(logged.join()).toContain('PLUGIN_FUNCTION is missing');
});

test('keys that the platform parsed already are taken too', async () => {
  const settings = await readSettings(
    { ...env, PLUGIN_KEY: key, PLUGIN_CALLERS: JSON.parse(env.PLUGIN_CALLERS) as unknown },
    webRuntime,
  );
  expect(settings.functionName).toBe('office@live');
});

test.each([
  [
    'a Workers version signs its id',
    { id: 'db7cd8d3-4425-4fe7-8c81-01bf963b6067', tag: '', timestamp: '' },
    /^db7cd8d3-/,
  ],
  ['without one, the build id', undefined, /^[0-9a-f]{64}$/],
  ['a binding of another type is no version', 'db7cd8d3', /^[0-9a-f]{64}$/],
  ['nor is an id that no header carries', { id: 'a\nb' }, /^[0-9a-f]{64}$/],
])('%s', async (_, metadata, expected) => {
  const plugin = ipfilter({ checkIP: () => allow() });
  const caller = createCaller();
  const request = await caller.sign({ body: { ip: '192.0.2.1', protocol: 'SSH' } });
  const answer = await toAnswer(
    await plugin.fetch(toRequest(request), { ...caller.env, CF_VERSION_METADATA: metadata }),
  );
  expect((await caller.verify(request, answer)).plugin.get('plugin-version')).toMatch(expected);
});
