import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Caller, createCaller, toAnswer, toRequest } from '../../kit/fixtures/caller.ts';
import { allow, deny, ipfilter } from '../../kit/index.ts';
import { call } from '../../kit/test.ts';
import { ipfilterRules } from '../index.ts';
import { everyStore, kvNamespace } from './fixtures/stores.ts';
import { type BansOptions, createBans, kvBans, memoryBans } from './index.ts';

/** The administrator's adapter, another adapter that is not listed, an auth function that is. */
const [adapter, unlisted, auth] = [createCaller(), createCaller(), createCaller()];
const keysOf = (...callers: Caller[]) =>
  JSON.stringify({
    keys: callers.flatMap(({ env }) => (JSON.parse(env.PLUGIN_CALLERS) as { keys: object[] }).keys),
  });
const env = {
  ...adapter.env,
  PLUGIN_CALLERS: keysOf(adapter, unlisted),
  PLUGIN_REPORTERS: keysOf(adapter, auth),
};

beforeEach(() => {
  vi.spyOn(console, 'info').mockImplementation(() => undefined);
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

function office(options: Partial<BansOptions<unknown>> = {}) {
  const bans = createBans({ store: memoryBans(), ...options });
  const rules = {
    default: 'allow',
    for: '5m',
    rules: [{ action: 'deny', networks: ['198.51.100.0/24'] }],
  } as const;
  const plugin = bans.on(ipfilterRules(rules, { before: [bans.check] }));
  return {
    plugin,
    check: (ip: string, protocol: 'SSH' | 'FTP' = 'SSH') => call(plugin).checkIP({ ip, protocol }),
    /** An answer of `sftpgo.Bans`, signed by the function. */
    async ask(rpc: string, body: object = {}, by = adapter) {
      const request = await by.sign({ rpc: `sftpgo.Bans/${rpc}`, body });
      const answer = await toAnswer(await plugin.fetch(toRequest(request), env));
      if (answer.status !== 401) await adapter.verify(request, answer);
      return { status: answer.status, json: answer.json as Record<string, unknown> };
    },
  };
}

const hour = { forMs: '3600000' };

test('a banned address is denied, whatever the rules say, for the whole network and no longer than the ban', async () => {
  const { ask, check } = office();
  expect(await check('203.0.113.7')).toMatchObject({ allowed: true });
  expect(await ask('Add', { network: '203.0.113.0/24', forMs: '120000', reason: 'scans' })).toMatchObject({
    status: 200,
    json: { network: '203.0.113.0/24' },
  });
  const denied = await check('203.0.113.7', 'FTP');
  expect(denied).toMatchObject({ allowed: false, scope: '203.0.113.0/24' });
  expect(denied.reason).toMatch(/^banned until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: scans$/);
  expect(denied.forMs).toBeLessThanOrEqual(120_000);
  expect(denied.forMs).toBeGreaterThan(100_000);
  await ask('Add', { network: '203.0.113.8', ...hour });
  expect((await check('203.0.113.8')).forMs).toBe(300_000);
});

test('what is not banned is allowed for one address and a minute, so that a ban is felt', async () => {
  expect(await office().check('203.0.113.7')).toMatchObject({ forMs: 60_000, scope: '203.0.113.7/32' });
  expect((await office({ reach: '10s' }).check('203.0.113.7')).forMs).toBe(10_000);
});

test('bans are listed and removed', async () => {
  const { ask, check } = office();
  await ask('Add', { network: '203.0.113.7', ...hour, reason: 'a' });
  await ask('Add', { network: '2001:db8:7::/48', ...hour, reason: 'b' }, auth);
  const { json } = await ask('List');
  expect(json).toMatchObject({ networks: ['2001:db8:7::/48', '203.0.113.7/32'], reasons: ['b', 'a'] });
  expect(new Set(json['by'] as string[]).size).toBe(2);
  expect(await ask('List', { limit: 1 })).toMatchObject({
    json: { networks: { length: 1 }, cursor: '2001:db8:7::/48' },
  });
  expect(await ask('Remove', { network: '203.0.113.7' })).toMatchObject({ json: { removed: true } });
  expect(await ask('Remove', { network: '203.0.113.7' })).toEqual({ status: 200, json: {} });
  expect((await check('203.0.113.7')).allowed).toBe(true);
});

test('an adapter that is not listed is refused, signed', async () => {
  for (const rpc of ['Add', 'Report', 'List', 'Remove']) {
    expect(
      await office().ask(rpc, { network: '203.0.113.7', ip: '203.0.113.7', ...hour }, unlisted),
    ).toMatchObject({
      status: 403,
      json: { code: 'permission_denied', message: expect.stringContaining('PLUGIN_REPORTERS') },
    });
  }
});

test('a listed function may report and ban, not list and remove', async () => {
  const { ask } = office();
  expect(await ask('Report', { ip: '203.0.113.7' }, auth)).toMatchObject({ status: 200 });
  expect(await ask('Add', { network: '203.0.113.7', ...hour }, auth)).toMatchObject({ status: 200 });
  for (const rpc of ['List', 'Remove']) {
    expect(await ask(rpc, { network: '203.0.113.7' }, auth)).toMatchObject({ status: 403 });
  }
});

test('a key that is listed nowhere is refused unsigned, and a reporter calls nothing but bans', async () => {
  const { ask, plugin } = office();
  expect(await ask('Add', { network: '203.0.113.7', ...hour }, createCaller())).toMatchObject({
    status: 401,
  });
  const checkIP = await auth.sign({ body: { ip: '203.0.113.7' } });
  expect((await plugin.fetch(toRequest(checkIP), env)).status).toBe(401);
});

test.each([
  ['everyone', { network: '0.0.0.0/0', ...hour }],
  ['everyone by IPv6', { network: '::/0', ...hour }],
  ['everyone, mapped', { network: '::ffff:0:0/96', ...hour }],
  ['an eighth of a thousandth', { network: '203.0.0.0/15', ...hour }],
  ['a wide IPv6 network', { network: '2001:db0::/31', ...hour }],
  ['no address', { network: 'office', ...hour }],
  ['nothing', hour],
  ['an address with a port', { network: '203.0.113.7:22', ...hour }],
  ['a network with host bits', { network: '203.0.113.7/24', ...hour }],
  ['no time', { network: '203.0.113.7' }],
  ['a time before now', { network: '203.0.113.7', forMs: '-5000' }],
  ['what is never banned', { network: '192.0.2.9', ...hour }],
  ['a network with what is never banned in it', { network: '192.0.0.0/16', ...hour }],
])('a ban of %s is refused', async (_, body) => {
  const { ask } = office({ never: ['192.0.2.0/28'] });
  expect(await ask('Add', body)).toMatchObject({ status: 400, json: { code: 'invalid_argument' } });
  expect(await ask('List')).toEqual({ status: 200, json: {} });
});

test('a ban for years is one for the most that is allowed', async () => {
  const { ask } = office({ maxFor: '1h' });
  const { json } = await ask('Add', { network: '203.0.113.7', forMs: '9223372036854775807' });
  expect(Number(json['untilMs']) - Date.now()).toBeLessThanOrEqual(3_600_000);
});

test('a reason is cut to 200 printable characters', async () => {
  const { ask, check } = office();
  await ask('Add', { network: '203.0.113.7', ...hour, reason: `\r\n\u0000é${'x'.repeat(100_000)}` });
  const { json } = await ask('List');
  expect(json['reasons']).toEqual([`????${'x'.repeat(196)}`]);
  expect((await check('203.0.113.7')).reason).toHaveLength(200);
});

test('what is never banned is let through a ban that is older than the setting', async () => {
  const store = memoryBans();
  await office({ store }).ask('Add', { network: '203.0.113.0/24', ...hour });
  const { check } = office({ store, never: ['203.0.113.7'] });
  expect((await check('203.0.113.7')).allowed).toBe(true);
  // the adapter must not take one answer for the whole network
  expect(await check('203.0.113.8')).toMatchObject({ allowed: false, scope: '203.0.113.8/32' });
});

const rate = { attempts: 3, per: '1m', for: '15m' } as const;

test('reported offences become a ban of the network around the address', async () => {
  const { ask, check } = office({ rate: { ...rate, prefix: { ipv4: 32, ipv6: 64 } } });
  const offend = (ip: string) => ask('Report', { ip, protocol: 'SSH', reason: 'password' }, auth);
  expect(await offend('2001:db8::1')).toMatchObject({ json: { network: '2001:db8::/64', count: 1 } });
  expect(await offend('2001:db8::ffff:2')).toMatchObject({ json: { count: 2 } });
  expect((await check('2001:db8::3')).allowed).toBe(true);
  const { json } = await offend('2001:db8::3');
  expect(Number(json['untilMs'])).toBeGreaterThan(Date.now());
  expect(await check('2001:db8::ffff:ffff')).toMatchObject({ allowed: false, scope: '2001:db8::/64' });
  expect((await check('2001:db8:0:1::1')).allowed).toBe(true);
});

test.each<[string, BansOptions<unknown>['rate'], string]>([
  ['no rate', undefined, '203.0.113.7'],
  ['a protocol that is not counted', { ...rate, protocols: ['FTP'] }, '203.0.113.7'],
  ['checks only', { ...rate, of: 'checks' }, '203.0.113.7'],
  ['a network that is never banned', rate, '192.0.2.1'],
])('%s: a report is taken and counts nothing', async (_, given, ip) => {
  const { ask } = office({ never: ['192.0.2.0/28'], ...(given === undefined ? {} : { rate: given }) });
  for (let n = 0; n < 5; n++)
    expect(await ask('Report', { ip, protocol: 'SSH' })).toEqual({ status: 200, json: {} });
  expect(await ask('List')).toEqual({ status: 200, json: {} });
});

test('a report of what is no address is refused', async () => {
  expect(await office({ rate }).ask('Report', { ip: '203.0.113.0/24' })).toMatchObject({ status: 400 });
});

test('CheckIP calls that arrive may count too', async () => {
  const { check } = office({ rate: { ...rate, of: 'both' } });
  expect((await check('203.0.113.7')).allowed).toBe(true);
  expect((await check('203.0.113.7')).allowed).toBe(true);
  expect(await check('203.0.113.7')).toMatchObject({ allowed: false, scope: '203.0.113.7/32' });
});

test('KV holds a few lengths of prefixes', async () => {
  const namespace = kvNamespace();
  const { ask } = office({ store: kvBans(() => namespace) });
  expect(await ask('Add', { network: '203.0.113.0/24', ...hour })).toMatchObject({ status: 200 });
  expect(await ask('Add', { network: '203.0.112.0/23', ...hour })).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining('32, 24, 16') },
  });
});

test.each<[string, object, string]>([
  ['one attempt', { rate: { ...rate, attempts: 1 } }, 'rate.attempts'],
  ['too many', { rate: { ...rate, attempts: 101 } }, 'rate.attempts'],
  ['a long window', { rate: { ...rate, per: '2h' } }, 'rate.per'],
  ['a bare number', { rate: { ...rate, for: 15 } }, 'rate.for'],
  ['a prefix that is too short', { rate: { ...rate, prefix: { ipv4: 8, ipv6: 64 } } }, 'rate.prefix.ipv4'],
  ['counting on KV', { store: everyStore().kv, rate }, 'rate'],
  [
    'a prefix that KV does not hold',
    { store: everyStore().kv, rate: { ...rate, approximate: true, prefix: { ipv4: 28, ipv6: 64 } } },
    'rate.prefix.ipv4',
  ],
  ['an unknown key', { rate: { ...rate, attempt: 3 } }, 'rate.attempt'],
  ['another unknown key', { neverr: [] }, 'neverr'],
  ['what is never banned and no network', { never: ['office'] }, 'never[0]'],
  ['a long reach', { reach: '1h' }, 'reach'],
  ['a rate of something else', { rate: { ...rate, of: 'logins' } }, 'rate.of'],
  ['a protocol that is none', { rate: { ...rate, protocols: ['SSH', 'SFTP'] } }, 'rate.protocols[1]'],
  ['a protocol in small letters', { rate: { ...rate, protocols: ['ssh'] } }, 'rate.protocols[0]'],
  ['no protocols', { rate: { ...rate, protocols: [] } }, 'rate.protocols'],
  ['protocols as text', { rate: { ...rate, protocols: 'SSHX' } }, 'rate.protocols'],
  [
    'a protocol that nobody asks by',
    { rate: { ...rate, of: 'checks', protocols: ['OIDC'] } },
    'rate.protocols[0]',
  ],
  ['no store', { store: undefined }, 'store'],
  ['what is no store', { store: {} }, 'store'],
  ['one network in place of a list', { never: '203.0.113.0/24' }, 'never'],
  ['a rate that is no object', { rate: '20 in 1m' }, 'rate'],
  ['no prefix', { rate: { ...rate, prefix: null } }, 'rate.prefix'],
])('%s is a mistake with its place', (_, change, place) => {
  expect(() => createBans({ store: memoryBans(), ...change } as BansOptions<unknown>)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      happened: expect.stringContaining(`${place} of the bans`),
    }),
  );
});

test('without options, that is the mistake', () => {
  expect(() => createBans(undefined as unknown as BansOptions<unknown>)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', happened: 'the configuration of the bans is wrong' }),
  );
});

test('offences are counted of the protocols of the rate, OIDC among them', async () => {
  const { ask } = office({ rate: { ...rate, protocols: ['SSH', 'OIDC'] } });
  const offend = (protocol: string) => ask('Report', { ip: '203.0.113.7', protocol, reason: 'password' });
  expect(await offend('HTTP')).toEqual({ status: 200, json: {} });
  expect(await offend('OIDC')).toMatchObject({ json: { count: 1 } });
  expect(await offend('SSH')).toMatchObject({ json: { count: 2 } });
});

test('KV counts when it is said to be approximate', () => {
  expect(() => createBans({ store: everyStore().kv, rate: { ...rate, approximate: true } })).not.toThrow();
});

test('the plugin says that it handles bans, and only if it does', () => {
  expect(office().plugin.handles).toEqual([
    'CheckIP',
    'Reload',
    'sftpgo.Bans/Add',
    'sftpgo.Bans/List',
    'sftpgo.Bans/Remove',
    'sftpgo.Bans/Report',
  ]);
  expect(ipfilterRules({ default: 'deny', rules: [] }).handles).toEqual(['CheckIP', 'Reload']);
});

test('a checkIP of one’s own asks for the verdict', async () => {
  const bans = createBans({ store: memoryBans() });
  const plugin = bans.on(
    ipfilter({
      checkIP: async (request, context) =>
        (await bans.verdict(request, context)) ?? (request.protocol === 'FTP' ? deny('no FTP') : allow()),
    }),
  );
  const request = await auth.sign({ rpc: 'sftpgo.Bans/Add', body: { network: '203.0.113.7', ...hour } });
  expect((await plugin.fetch(toRequest(request), env)).status).toBe(200);
  expect((await call(plugin).checkIP({ ip: '203.0.113.7' })).reason).toContain('banned until');
  expect((await call(plugin).checkIP({ ip: '203.0.113.8' })).allowed).toBe(true);
});
