import { Hono } from 'hono';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Context } from './context.ts';
import { type Asked, createCaller, toAnswer, toRequest } from './fixtures/caller.ts';
import { FunctionError } from './function-error.ts';
import { type IPFilter, type IPFilterPlugin, ipfilter } from './ipfilter.ts';
import { allow, deny, type Verdict } from './verdict.ts';

const caller = createCaller();
let logged: string[] = [];

beforeEach(() => {
  logged = [];
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, level).mockImplementation((line: string) => void logged.push(line));
  }
});
afterEach(() => vi.restoreAllMocks());

const byAddress = ipfilter({
  checkIP: ({ ip, protocol }) =>
    ip === '203.0.113.9' ? allow({ for: '5m' }) : deny(`no ${protocol} for ${ip}`),
});

/** Sends one signed call and checks the signature of the answer. */
async function signed<Env>(plugin: IPFilterPlugin<Env>, asked: Asked = {}, env: object = {}) {
  const request = await caller.sign(asked);
  const answer = await toAnswer(await plugin.fetch(toRequest(request), { ...caller.env, ...env } as Env));
  const { plugin: facts } = await caller.verify(request, answer);
  return { status: answer.status, json: answer.json, facts, headers: new Map(answer.headers) };
}

/** Sends a request and expects an answer without a signature. */
async function unsigned<Env>(plugin: IPFilterPlugin<Env>, request: Request, env: object = caller.env) {
  const answer = await toAnswer(await plugin.fetch(request, env as Env));
  const headers = new Map(answer.headers);
  expect([...headers.keys()].filter((name) => /^(signature|plugin-|content-digest)/.test(name))).toEqual([]);
  return { status: answer.status, json: answer.json, headers };
}

test('an allowed address is a signed empty message with its lifetime and scope', async () => {
  const answer = await signed(byAddress, { body: { ip: '203.0.113.9', protocol: 'SSH' } });
  expect(answer).toMatchObject({ status: 200, json: {} });
  expect(answer.facts.get('plugin-cache')).toBe('max-age=300');
  expect(answer.facts.get('plugin-scope')).toBe('203.0.113.9/32;protocols="SSH"');
  expect(answer.facts.get('plugin-version')).toMatch(/^[0-9a-f]{64}$/);
  expect(answer.facts.get('plugin-elapsed')).toMatch(/^\d+(\.\d+)?$/);
  expect(answer.facts.has('plugin-reason')).toBe(false);
  expect(answer.headers.get('cache-control')).toBe('no-store, no-transform');
  expect(answer.headers.get('content-type')).toBe('application/json');
});

test.each([' ', 'SSH FTP', 'SSH"', 'HTTP3', 'сеть', 'a\r\nplugin-scope: 0.0.0.0', 'x'.repeat(5000)])(
  'a protocol that plugin-scope cannot name: a verdict for this one question (%#)',
  async (protocol) => {
    const { status, facts } = await signed(byAddress, { body: { ip: '203.0.113.9', protocol } });
    expect([status, facts.has('plugin-scope'), facts.has('plugin-cache')]).toEqual([200, false, false]);
    const denied = await signed(byAddress, { body: { ip: '203.0.113.10', protocol } });
    expect([denied.status, denied.facts.has('plugin-scope')]).toEqual([403, false]);
    const all = ipfilter({ checkIP: () => allow({ for: '5m', protocols: 'all' }) });
    const answer = await signed(all, { body: { ip: '203.0.113.9', protocol } });
    expect(answer.facts.get('plugin-scope')).toBe('203.0.113.9/32');
  },
);

test('a denied address is a signed permission_denied; the reason stays out of the body', async () => {
  const answer = await signed(byAddress, { body: { ip: '2001:DB8::0:1', protocol: 'FTP' } });
  expect(answer).toMatchObject({ status: 403, json: { code: 'permission_denied', message: 'denied' } });
  expect(answer.facts.get('plugin-reason')).toBe('no FTP for 2001:db8::1');
  expect(answer.facts.get('plugin-scope')).toBe('2001:db8::1/128;protocols="FTP"');
  expect(answer.facts.has('plugin-cache')).toBe(false);
});

test('the handler sees canonical addresses; the scope of a host that names no protocol has none', async () => {
  const seen: string[] = [];
  const plugin = ipfilter({
    checkIP({ ip, protocol }) {
      seen.push(`${ip} ${protocol}`);
      return allow();
    },
  });
  const answer = await signed(plugin, { body: { ip: '::ffff:203.0.113.9' } });
  await signed(plugin, { body: { ip: 'fe80::1%eth0', protocol: 'HTTP' } });
  expect(seen).toEqual(['203.0.113.9 ', 'fe80::1 HTTP']);
  expect(answer.facts.get('plugin-scope')).toBe('203.0.113.9/32');
});

test('an author may say that a verdict holds for several protocols', async () => {
  const scope = async (verdict: Verdict) =>
    (
      await signed(ipfilter({ checkIP: () => verdict }), { body: { ip: '192.0.2.1', protocol: 'DAV' } })
    ).facts.get('plugin-scope');
  expect(await scope(allow({ protocols: 'all' }))).toBe('192.0.2.1/32');
  expect(await scope(deny('no', { protocols: ['DAV', 'HTTP'] }))).toBe('192.0.2.1/32;protocols="DAV HTTP"');
});

test('a reason is cut to 200 printable ASCII characters', async () => {
  const plugin = ipfilter({ checkIP: () => deny(`über\r\nx-evil: 1 ${'a'.repeat(300)}`) });
  const { facts } = await signed(plugin, { body: { ip: '192.0.2.1' } });
  expect(facts.get('plugin-reason')).toMatch(/^\?ber\?\?x-evil: 1 a+$/);
  expect(facts.get('plugin-reason')).toHaveLength(200);
});

test('Reload runs the handler, and is answered without one', async () => {
  const reload = vi.fn();
  expect(await signed(ipfilter({ checkIP: () => allow(), reload }), { rpc: 'Reload' })).toMatchObject({
    status: 200,
  });
  expect(reload).toHaveBeenCalledOnce();
  expect(byAddress.handles).toEqual(['CheckIP', 'Reload']);
  expect(await signed(byAddress, { rpc: 'Reload' })).toMatchObject({ status: 200, json: {} });
});

test('the context carries env, id, deadline and waitUntil', async () => {
  let context: Context<{ LIST: string }> | undefined;
  const plugin = ipfilter<{ LIST: string }>({
    checkIP(_, given) {
      context = given;
      given.log.info('looked up', { LIST: given.env.LIST });
      given.waitUntil(Promise.reject(new Error('counter down')));
      return allow();
    },
  });
  const id = 'a1'.repeat(16);
  const request = await caller.sign({ body: { ip: '192.0.2.1' }, headers: { 'plugin-call-id': id } });
  const background: Promise<unknown>[] = [];
  const before = Date.now();
  await plugin.fetch(
    toRequest(request),
    { ...caller.env, LIST: 'a' },
    { waitUntil: (work) => background.push(work) },
  );
  await Promise.all(background);
  expect(background).toHaveLength(1);
  expect(context).toMatchObject({ id, env: { LIST: 'a' } });
  expect(context?.deadlineMs).toBeGreaterThanOrEqual(before + 5000);
  expect(context?.signal.aborted).toBe(false);
  expect(logged.map((line) => JSON.parse(line) as object)).toEqual([
    { level: 'info', message: 'looked up', function: 'office@live', rpc: 'CheckIP', id, LIST: 'a' },
    expect.objectContaining({
      level: 'error',
      message: 'waitUntil failed',
      error: 'Error: counter down',
      id,
    }),
  ]);
});

test('a handler whose words cannot stand in a header is a signed internal error', async () => {
  const protocols = ['SSH\r\nplugin-scope: 0.0.0.0/0'] as unknown as ['SSH'];
  const answer = await signed(ipfilter({ checkIP: () => allow({ for: '5m', protocols }) }), {
    body: { ip: '192.0.2.1' },
  });
  expect(answer).toMatchObject({ status: 500, json: { code: 'internal' } });
  expect(answer.facts.has('plugin-cache')).toBe(false);
  expect(logged.join()).toContain('a fact is not printable ASCII');
});

test('work after the answer that fails with what has no text is logged, and ends nothing', async () => {
  const work: Promise<unknown>[] = [];
  const plugin = ipfilter({
    checkIP: (_, { waitUntil }) => {
      waitUntil(Promise.reject(Object.create(null)));
      return allow();
    },
  });
  const request = await caller.sign({ body: { ip: '192.0.2.1' } });
  await plugin.fetch(toRequest(request), caller.env, { waitUntil: (each) => void work.push(each) });
  await Promise.all(work);
  expect(logged.join()).toContain('waitUntil failed');
});

test.each<[string, IPFilter<unknown>['checkIP']]>([
  [
    'throws',
    () => {
      throw new Error('the ban list is at s3://secret');
    },
  ],
  [
    'rejects',
    async () => {
      throw new TypeError('undefined is not a function');
    },
  ],
  [
    'throws no Error',
    () => {
      throw 'text';
    },
  ],
  [
    'throws what has no text',
    () => {
      throw Object.create(null);
    },
  ],
  [
    'throws an Error that throws',
    () => {
      throw Object.defineProperty(new Error('first'), 'message', {
        get() {
          throw new Error('again');
        },
      });
    },
  ],
  ['returns nothing', () => undefined as unknown as Verdict],
  ['returns true', () => true as unknown as Verdict],
  ['returns text for allowed', () => ({ allowed: 'no' }) as unknown as Verdict],
  ['forgets the unit of a duration', () => allow({ for: 300 as unknown as '300s' })],
])('a handler that %s is a signed internal error with a fixed text, and a log line', async (_, checkIP) => {
  const answer = await signed(ipfilter({ checkIP }), { body: { ip: '192.0.2.1' } });
  expect(answer).toMatchObject({
    status: 500,
    json: { code: 'internal', message: 'the function failed; its log says why' },
  });
  expect(logged.join()).toContain('the handler threw');
});

test('a FunctionError speaks for itself, signed', async () => {
  const plugin = ipfilter({
    checkIP: () => {
      throw new FunctionError('unavailable', 'list is being rebuilt\n');
    },
  });
  expect(await signed(plugin, { body: { ip: '192.0.2.1' } })).toMatchObject({
    status: 503,
    json: { code: 'unavailable', message: 'list is being rebuilt?' },
  });
});

test('a handler that never returns is a signed deadline_exceeded, and its signal aborts', async () => {
  let signal: AbortSignal | undefined;
  const plugin = ipfilter({
    checkIP: (_, context) => {
      signal = context.signal;
      return new Promise<Verdict>(() => undefined);
    },
  });
  const answer = await signed(plugin, { body: { ip: '192.0.2.1' }, headers: { 'connect-timeout-ms': '30' } });
  expect(answer).toMatchObject({ status: 504, json: { code: 'deadline_exceeded' } });
  expect(signal?.aborted).toBe(true);
});

test.each<[string, Asked, string]>([
  ['another protocol version', { headers: { 'connect-protocol-version': '2' } }, 'connect-protocol-version'],
  ['another content type', { headers: { 'content-type': 'application/proto' } }, 'content-type'],
  ['a timeout that is no number', { headers: { 'connect-timeout-ms': '5s' } }, 'connect-timeout-ms'],
  ['a timeout of eleven digits', { headers: { 'connect-timeout-ms': '10000000000' } }, 'connect-timeout-ms'],
  ['a body that is no JSON', { body: '{"ip":' }, 'the message of this RPC'],
  ['a body with a byte order mark', { body: '\ufeff{}' }, 'the message of this RPC'],
  ['a body that is no UTF-8', { body: new Uint8Array([0x22, 0xff, 0x22]) }, 'the message of this RPC'],
  ['a body of another shape', { body: { ip: 7 } }, 'the message of this RPC'],
  ['an ip that is none', { body: { ip: '/run/sftpgo.sock' } }, 'not an address'],
])('%s is a signed invalid_argument, and nothing runs', async (_, asked, text) => {
  const checkIP = vi.fn(() => allow());
  const answer = await signed(ipfilter({ checkIP }), { body: { ip: '192.0.2.1' }, ...asked });
  expect(answer).toMatchObject({
    status: 400,
    json: { code: 'invalid_argument', message: expect.stringContaining(text) },
  });
  expect(checkIP).not.toHaveBeenCalled();
});

test.each(['constructor', 'checkip', 'Nothing'])(
  'an RPC called %s is a signed unimplemented',
  async (rpc) => {
    expect(await signed(byAddress, { rpc })).toMatchObject({ status: 501, json: { code: 'unimplemented' } });
  },
);

test('a signature made with another clock is refused with a signature, so that the clocks can be compared', async () => {
  const checkIP = vi.fn(() => allow());
  const answer = await signed(ipfilter({ checkIP }), { body: { ip: '192.0.2.1' }, clockS: -300 });
  expect(answer).toMatchObject({ status: 400, json: { code: 'failed_precondition' } });
  expect(answer.facts.get('plugin-refused')).toBe('time');
  expect(checkIP).not.toHaveBeenCalled();
});

test('a URL that a platform or a setting spells otherwise is the same URL', async () => {
  const origin = 'https://office.example';
  const otherwise = 'HTTPS://OFFICE.example:443';
  const good = await caller.sign({ body: { ip: '203.0.113.9' }, origin });
  const request = toRequest({ ...good, url: good.url.replace(origin, otherwise) });
  expect((await byAddress.fetch(request, caller.env)).status).toBe(200);
  const again = await caller.sign({ body: { ip: '203.0.113.9' }, origin });
  const inside = toRequest({ ...again, url: again.url.replace(origin, 'http://10.0.0.1') });
  expect((await byAddress.fetch(inside, { ...caller.env, PLUGIN_URL: `${otherwise}/` })).status).toBe(200);
});

test('strangers get one fixed text without a signature, and nothing runs', async () => {
  const checkIP = vi.fn(() => allow());
  const plugin = ipfilter({ checkIP });
  const good = await caller.sign({ body: { ip: '192.0.2.1' } });
  const refused = {
    status: 401,
    json: { code: 'unauthenticated', message: 'not a call that this function accepts' },
  };
  const without = { ...good, headers: good.headers.filter(([name]) => !name.startsWith('signature')) };
  expect(await unsigned(plugin, toRequest(without))).toMatchObject(refused);
  const altered = { ...good, body: new TextEncoder().encode('{"ip":"192.0.2.2"}') };
  expect(await unsigned(plugin, toRequest(altered))).toMatchObject(refused);
  expect(await unsigned(plugin, toRequest(await createCaller().sign()))).toMatchObject(refused);
  expect(
    await unsigned(plugin, toRequest({ ...good, url: good.url.replace('CheckIP', 'Reload') })),
  ).toMatchObject(refused);
  const elsewhere = await caller.sign({ headers: { 'plugin-function': 'other@live' } });
  expect(await unsigned(plugin, toRequest(elsewhere))).toMatchObject(refused);
  expect(await unsigned(plugin, toRequest(await caller.sign({ rpc: 'proto.Auth/CheckIP' })))).toMatchObject(
    refused,
  );
  expect(checkIP).not.toHaveBeenCalled();
});

test('a request is taken once', async () => {
  const env = { ...caller.env };
  const good = await caller.sign({ body: { ip: '203.0.113.9' } });
  expect((await byAddress.fetch(toRequest(good), env)).status).toBe(200);
  expect(await unsigned(byAddress, toRequest(good), env)).toMatchObject({ status: 401 });
});

test('a request above the limit is read, thrown away and refused before anything else', async () => {
  const tooLarge = await caller.sign({ body: { ip: ' '.repeat(1024 * 1024) } });
  const request = toRequest(tooLarge);
  const answer = await unsigned(byAddress, request);
  expect(answer).toMatchObject({ status: 429, json: { code: 'resource_exhausted' } });
  expect(answer.headers.has('connection')).toBe(false);
  expect(
    (await signed(byAddress, { body: { ip: '203.0.113.9', pad: ' '.repeat(1024 * 1023) } })).status,
  ).toBe(200);
});

test.each([
  ['GET', '/'],
  ['GET', '/proto.IPFilter/CheckIP'],
  ['POST', '/favicon.ico'],
])('%s %s is not there, and its body is read', async (method, path) => {
  const request = new Request(`https://function.test${path}`, {
    method,
    ...(method === 'POST' ? { body: 'x' } : {}),
  });
  expect(await unsigned(byAddress, request)).toMatchObject({ status: 404, json: { code: 'unimplemented' } });
  expect(request.bodyUsed).toBe(method === 'POST');
});

test('a function under a path, and one behind a proxy that hides its address', async () => {
  const body = { ip: '203.0.113.9' };
  expect(await signed(byAddress, { body, origin: 'https://function.test/a/b' })).toMatchObject({
    status: 200,
  });
  const request = await caller.sign({ body, origin: 'https://public.example/filter' });
  const inside = toRequest({ ...request, url: 'http://127.0.0.1:8080/proto.IPFilter/CheckIP' });
  const answer = await toAnswer(
    await byAddress.fetch(inside, { ...caller.env, PLUGIN_URL: 'https://public.example/filter/' }),
  );
  expect(answer.status).toBe(200);
  await caller.verify(request, answer);
});

test('a plugin is a route of a larger Hono application', async () => {
  const app = new Hono<{ Bindings: typeof caller.env }>();
  app.all('/filter/*', (c) => byAddress.fetch(c.req.raw, c.env));
  const request = await caller.sign({ origin: 'https://function.test/filter', body: { ip: '203.0.113.9' } });
  const answer = await toAnswer(await app.fetch(toRequest(request), caller.env));
  expect(answer.status).toBe(200);
  await caller.verify(request, answer);
});

test('calls at the same time do not see each other', async () => {
  const plugin = ipfilter({
    async checkIP({ ip }, { id }) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      return deny(`${ip} ${id}`);
    },
  });
  await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const id = n.toString(16).padStart(32, '0');
      const ip = `192.0.2.${n}`;
      const { facts } = await signed(plugin, { body: { ip }, headers: { 'plugin-call-id': id } });
      expect(facts.get('plugin-reason')).toBe(`${ip} ${id}`);
    }),
  );
});
