import { expect, test } from 'vitest';
import { formatReason } from '../../proto/facts.ts';
import { parseAddress } from '../../proto/net/address.ts';
import { createEngine } from './engine.ts';
import { createContext } from './fixtures/context.ts';
import { writeMmdb } from './fixtures/mmdb.ts';
import type { Content, Rules } from './index.ts';

const read = (ip: string) => {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  return address;
};
const database = writeMmdb([
  ['8.0.0.0/8', { country_code: 'DE' }],
  ['9.0.0.0/8', { country_code: 'AT' }],
]);

/** An engine with one list and one database, whose contents a test sets. */
function setUp(rules: Rules['rules'], contents: { list?: string; database?: Uint8Array }) {
  const source = (content: () => Uint8Array | undefined) => ({
    read: async (): Promise<Content> => {
      const bytes = content();
      if (bytes === undefined) throw new Error('it is down');
      return { bytes };
    },
  });
  const engine = createEngine({
    default: 'allow',
    private: 'rules',
    unknown: 'deny',
    lists: {
      abuse: source(() =>
        contents.list === undefined ? undefined : new TextEncoder().encode(contents.list),
      ),
    },
    databases: { country: source(() => contents.database) },
    rules,
  });
  const context = createContext({});
  return { engine, context, ask: (ip: string) => engine.verdict(read(ip), 'SSH', context) };
}

test('a list that was never read lets nobody pass that it could stop', async () => {
  const { ask } = setUp(
    [
      { action: 'allow', networks: ['203.0.113.0/24'] },
      { action: 'deny', lists: ['abuse'] },
    ],
    {},
  );
  await expect(ask('198.51.100.7')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'list abuse: it is down',
  });
  // and decides nothing for those who are let in before it is asked
  expect(await ask('203.0.113.7')).toMatchObject({ allowed: true });
});

test('a database that was never read is the same', async () => {
  const { ask } = setUp([{ action: 'deny', countries: ['DE'] }], { database: new Uint8Array() });
  await expect(ask('8.1.1.1')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'database country: the database is empty',
  });
});

test('a database that turns out to be damaged is the same, by its name', async () => {
  const file = database.slice();
  const { ask } = setUp([{ action: 'deny', countries: ['DE'] }], { database: file });
  expect(await ask('8.1.1.1')).toMatchObject({ allowed: false });
  // a file that opens has no such places: these bytes change afterwards
  file.fill(0xff);
  await expect(ask('9.1.1.1')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('database country: the database is damaged'),
  });
});

test('a rule with networks and a country is the same, for its networks', async () => {
  const { ask } = setUp([{ action: 'deny', networks: ['8.0.0.0/8'], countries: ['DE'] }], {});
  await expect(ask('8.1.1.1')).rejects.toMatchObject({ message: 'database country: it is down' });
  expect(await ask('9.1.1.1')).toMatchObject({ allowed: true });
});

test('a rule that goes on waits for nothing and stops nothing', async () => {
  const { ask } = setUp([{ action: 'continue', lists: ['abuse'], reason: 'seen' }], {});
  expect(await ask('198.51.100.7')).toMatchObject({
    allowed: true,
    reason: 'no rule matches and the default is allow',
  });
});

test('a rule by country that goes on waits for no database; a later one by country does', async () => {
  const watch = { action: 'continue', countries: ['DE'], reason: 'seen' } as const;
  const first = setUp([watch, { action: 'deny', networks: ['8.0.0.0/8'] }], {});
  expect(await first.ask('8.1.1.1')).toMatchObject({ allowed: false, reason: 'rules[1]' });
  const { ask } = setUp([watch, { action: 'allow', countries: ['AT'] }], {});
  await expect(ask('8.1.1.1')).rejects.toMatchObject({ code: 'unavailable' });
});

test.each([[{}], [{ networks: ['8.0.0.0/8'] }]])(
  'without the database, `unknown: deny` is not passed over by a rule %o that goes on',
  async (networks) => {
    const { ask } = setUp([{ action: 'continue', countries: ['DE'], reason: 'seen', ...networks }], {});
    await expect(ask('8.1.1.1')).rejects.toMatchObject({ code: 'unavailable' });
  },
);

test('a reload with a broken list fails, keeps the good one and says so with every verdict of it', async () => {
  const contents = { list: '198.51.100.0/24\n' };
  const { engine, context, ask } = setUp([{ action: 'deny', lists: ['abuse'], reason: 'abuse' }], contents);
  expect(await ask('198.51.100.7')).toMatchObject({ allowed: false, reason: 'rules[0] "abuse": list abuse' });
  contents.list = '198.51.100.0/24\n198.51.100.300\n';
  await expect(engine.reload(context)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining("list abuse: line 2: '198.51.100.300' is not a network"),
  });
  expect(await ask('198.51.100.7')).toMatchObject({
    allowed: false,
    reason: expect.stringMatching(
      /^rules\[0\] "abuse": list abuse \(not read since 20\d\d-.*Z: list abuse\)$/,
    ),
  });
});

test('a verdict that passes over what could not be read says so: it is the one that lets in', async () => {
  const contents: { list: string; database?: Uint8Array } = { list: '198.51.100.0/24\n', database };
  const { engine, context, ask } = setUp(
    [
      { action: 'deny', lists: ['abuse'], reason: 'a'.repeat(500) },
      { action: 'deny', countries: ['DE'] },
      { action: 'allow', networks: ['0.0.0.0/0'], reason: 'b'.repeat(500) },
    ],
    contents,
  );
  expect((await ask('9.1.1.1')).reason).toBe(`rules[2] "${'b'.repeat(500)}"`);
  contents.list = 'half of a page of HTML';
  delete contents.database;
  await expect(engine.reload(context)).rejects.toMatchObject({ code: 'unavailable' });
  for (const [ip, allowed, sources] of [
    ['9.1.1.1', true, 'list abuse, database country'],
    ['198.51.100.7', false, 'list abuse'],
  ] as const) {
    const verdict = await ask(ip);
    expect(verdict).toMatchObject({
      allowed,
      reason: expect.stringMatching(new RegExp(`\\(not read since 20\\d\\d-.*Z: ${sources}\\)$`)),
    });
    // all of it fits into plugin-reason
    expect(formatReason(verdict.reason ?? '')).toBe(verdict.reason);
  }
});

test('of many sources that could not be read, the first are named', async () => {
  const names = Array.from({ length: 9 }, (_, n) => `list-of-one-of-our-partners-${n}`);
  let isUp = true;
  const list = async (): Promise<Content> => {
    if (!isUp) throw new Error('it is down');
    return { bytes: new TextEncoder().encode('192.0.2.1') };
  };
  const engine = createEngine({
    default: 'allow',
    lists: Object.fromEntries(names.map((name) => [name, { read: list }])),
    rules: [{ action: 'deny', lists: names }],
  });
  const context = createContext({});
  await engine.reload(context);
  isUp = false;
  await expect(engine.reload(context)).rejects.toMatchObject({ code: 'unavailable' });
  const { reason = '' } = await engine.verdict(read('198.51.100.7'), 'SSH', context);
  expect(reason).toMatch(/^no rule matches .*Z: list list-of-one-of-our-partners-0, list .*\.\.\.\)$/);
  expect(formatReason(reason)).toBe(reason);
});

test('the log names the line of a broken list, and the remedy', async () => {
  const { context, ask } = setUp([{ action: 'deny', lists: ['abuse'] }], { list: '10.1.2.3/8\n' });
  await expect(ask('198.51.100.7')).rejects.toMatchObject({
    message: "list abuse: line 1: '10.1.2.3/8' has bits set after the first 8",
  });
  expect(context.lines).toMatchObject([
    { level: 'warn', message: expect.stringContaining('Write 10.0.0.0/8 for the network') },
  ]);
});

test('a reload with a new list decides by it at once', async () => {
  const contents = { list: '198.51.100.0/24\n', database };
  const { engine, context, ask } = setUp([{ action: 'deny', lists: ['abuse'] }], contents);
  expect(await ask('203.0.113.7')).toMatchObject({ allowed: true });
  contents.list = '203.0.113.0/24\n';
  await engine.reload(context);
  expect(await ask('203.0.113.7')).toMatchObject({ allowed: false });
});

test.each([
  ['8.1.1.1', true, 'rules[0]: country DE', 8],
  ['9.1.1.1', false, 'no rule matches and the default is deny', 8],
  ['11.1.1.1', false, 'the database does not know the country, and unknown is deny', 8],
  ['10.1.1.1', false, 'no rule matches and the default is deny', 8],
])('%s: allowed %s, because %s, for its /%i', async (ip, allowed, reason, prefixLength) => {
  const engine = createEngine({
    default: 'deny',
    private: 'rules',
    unknown: 'deny',
    databases: { country: { bytes: database } },
    rules: [{ action: 'allow', countries: ['DE'] }],
  });
  expect(await engine.verdict(read(ip), 'SSH', createContext({}))).toMatchObject({
    allowed,
    reason,
    prefixLength,
  });
});

test('rules that go on leave their reason and shorten the life', async () => {
  const engine = createEngine({
    default: 'allow',
    lists: { abuse: { text: '8.8.8.0/24' } },
    rules: [
      { action: 'continue', lists: ['abuse'], reason: 'watch', for: '10s' },
      { action: 'allow', networks: ['8.0.0.0/8'], reason: 'office' },
    ],
  });
  expect(await engine.verdict(read('8.8.8.8'), 'SSH', createContext({}))).toEqual({
    allowed: true,
    reason: 'rules[0] "watch": list abuse; rules[1] "office"',
    forMs: 10_000,
    prefixLength: 24,
    protocols: 'all',
  });
});

test.each<[string, Partial<Rules>, string]>([
  ['a list', { lists: { abuse: { text: '10.0.0.0/8\nx' } } }, "lists.abuse: line 2: 'x' is not a network"],
  ['a database', { databases: { asn: { bytes: database } } }, 'databases.asn: the database'],
])('%s in the bundle that cannot be used stops the build', (_, list, text) => {
  expect(() => createEngine({ default: 'deny', rules: [], ...list })).toThrow(text);
});

test('unknown: deny is decided by the rule that keeps countries out, before an allow that comes later', async () => {
  const { ask } = setUp(
    [
      { action: 'deny', networks: ['0.0.0.0/0'], countries: ['DE'] },
      { action: 'allow', networks: ['0.0.0.0/0'] },
    ],
    { database },
  );
  expect(await ask('198.51.100.7')).toMatchObject({ allowed: false });
  expect(await ask('9.0.0.1')).toMatchObject({ allowed: true });
  // private: rules; it is of no country, which is not an unknown one
  expect(await ask('10.0.0.1')).toMatchObject({ allowed: true });
});

test.each([
  [{ action: 'deny', countries: ['DE'] }, 'country '],
  [{ action: 'deny', asns: [64_501] }, 'AS'],
] as const)('unknown: deny counts for %o without networks, before a later allow', async (rule, what) => {
  const engine = createEngine({
    default: 'allow',
    private: 'rules',
    unknown: 'deny',
    databases: {
      country: { bytes: database },
      asn: { bytes: writeMmdb([['9.0.0.0/8', { asn: 64_500 }]]) },
    },
    rules: [rule, { action: 'allow', networks: ['0.0.0.0/0', '::/0'] }],
  });
  const ask = (ip: string) => engine.verdict(read(ip), 'SSH', createContext({}));
  expect(await ask('198.51.100.7')).toMatchObject({ allowed: false, reason: `rules[0]: ${what} unknown` });
  expect(await ask('9.0.0.1')).toMatchObject({ allowed: true, reason: 'rules[1]' });
});

test('where no rule decides about an unknown country, unknown decides and not the default', async () => {
  const { ask } = setUp([{ action: 'allow', countries: ['DE'] }], { database });
  expect(await ask('198.51.100.7')).toMatchObject({ allowed: false });
  expect(await ask('9.0.0.1')).toMatchObject({ allowed: true });
});

test.each([
  ...['0.0.0.1', '10.1.1.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.31.1.1', '192.168.1.1'],
  ...['::', '::1', 'fd00::1', 'fe80::1'],
])('%s is private, and private decides', async (ip) => {
  const engine = createEngine({ default: 'allow', private: 'deny', rules: [] });
  expect(await engine.verdict(read(ip), 'SSH', createContext({}))).toMatchObject({
    allowed: false,
    reason: 'a private address, and private is deny',
  });
});
