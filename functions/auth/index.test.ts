import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOTP } from 'otpauth';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FunctionError } from '../kit/index.ts';
import { call } from '../kit/test.ts';
import { authUsers, fileUsers, type StoredUser, type UserStore } from './index.ts';

// openssl passwd -1 -salt Sa1t.567 hunter2: the cheapest of all kinds
const hunter2 = '$1$Sa1t.567$38R3pJ9ydHhHBvt4ij6MY/';
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
const otherKey = `${key.slice(0, -1)}g`;
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const home = { home_dir: '/srv/sftp/alice', permissions: { '/': ['list'] } };
const nowMs = 1_700_000_000_000;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const codeAt = (ms: number) => new TOTP({ secret }).generate({ timestamp: ms });

const users: readonly StoredUser[] = [
  { username: 'alice', password: hunter2, publicKeys: [`${key} alice@laptop`], settings: home },
  { username: 'tina', password: hunter2, totp: { secret } },
  { username: 'fred', password: hunter2, totp: { secret, protocols: ['SSH'] } },
  { username: 'gone', password: hunter2, publicKeys: [key], disabled: true },
  { username: 'keys', publicKeys: [key] },
  { username: 'long', password: `{SHA256}${sha256('h'.repeat(1025))}` },
  { username: 'zero', password: `{SHA256}${sha256('hunter2\0')}` },
];
const plugin = call(authUsers({ users }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const known = { id: 3, username: 'alice', status: 1 };

test('the right password makes a new user with its settings', async () => {
  expect(await plugin.checkUserAndPass({ username: 'alice', password: 'hunter2' })).toEqual({
    accepted: true,
    grant: 'merge',
    user: { status: 1, ...home },
    reason: '',
  });
});

test('a known user gets what differs, and stays as it is when nothing does', async () => {
  const login = async (user: object) =>
    await plugin.checkUserAndPass({ username: 'alice', password: 'hunter2', user: { ...known, ...user } });
  expect(await login({ home_dir: '/srv/sftp/alice', permissions: { '/': ['*'] } })).toMatchObject({
    grant: 'merge',
    user: home,
  });
  expect(await login({ ...home, email: 'of the administrator' })).toMatchObject({ grant: 'unchanged' });
  expect(await login({ ...home, permissions: { '/': ['list'], '/more': ['list'] } })).toMatchObject({
    grant: 'unchanged',
  });
});

test('settings that take something away are a change until it is away', async () => {
  const filters = { file_patterns: null, max_upload_file_size: 5 };
  const { checkUserAndPass } = call(
    authUsers({ users: [{ username: 'alice', password: hunter2, settings: { filters } }] }),
  );
  const login = async (stored: Record<string, unknown>) =>
    await checkUserAndPass({ username: 'alice', password: 'hunter2', user: { ...known, filters: stored } });
  expect(await login({ file_patterns: [], max_upload_file_size: 5n })).toMatchObject({ grant: 'merge' });
  expect(await login({ max_upload_file_size: 5n })).toMatchObject({ grant: 'unchanged' });
  expect(await login({ max_upload_file_size: 6 })).toMatchObject({ grant: 'merge' });
});

test.each([
  ['a wrong password', 'alice', 'hunter3'],
  ['an empty password', 'alice', ''],
  ['a password with a zero byte', 'zero', 'hunter2\0'],
  ['a password without end', 'long', 'h'.repeat(1025)],
  ['a name that nobody has', 'nobody', 'hunter2'],
  ['a name in other letters', 'Alice', 'hunter2'],
  ['a name of the language', '__proto__', 'hunter2'],
  ['a user without a password', 'keys', 'hunter2'],
  ['a disabled user', 'gone', 'hunter2'],
])('%s is refused, always in the same words', async (_, username, password) => {
  expect(await plugin.checkUserAndPass({ username, password })).toEqual({
    accepted: false,
    reason: 'unknown user or wrong password',
  });
});

test('a name that nobody has costs a check of the same kind, and its decoy lets nobody in', async () => {
  const hash = vi.spyOn(process.getBuiltinModule('node:crypto'), 'hash');
  const costs = async (username: string) => {
    hash.mockClear();
    await plugin.checkUserAndPass({ username, password: 'hunter2' });
    return hash.mock.calls.length;
  };
  const real = await costs('alice');
  expect(real).toBeGreaterThan(1000);
  expect([await costs('nobody'), await costs('keys')]).toEqual([real, real]);
});

test("a store of one's own gets a decoy, too", async () => {
  const store: UserStore = { find: async () => undefined, burn: async () => true };
  const { checkUserAndPass } = call(authUsers({ users: store, unknownUserHash: hunter2 }));
  expect(await checkUserAndPass({ username: 'alice', password: 'hunter2' })).toMatchObject({
    accepted: false,
  });
  expect(() => authUsers({ users: store, unknownUserHash: 'hunter2' })).toThrow(/unknownUserHash/);
});

test('where a code is needed, a password alone lets nobody in', async () => {
  const login = async (username: string, protocol: 'SSH' | 'FTP' | 'OIDC' | '') =>
    (await plugin.checkUserAndPass({ username, password: 'hunter2', protocol })).accepted;
  for (const protocol of ['SSH', 'FTP', 'OIDC', ''] as const)
    expect(await login('tina', protocol)).toBe(false);
  expect([await login('fred', 'SSH'), await login('fred', 'FTP')]).toEqual([false, true]);
});

test('a key of the user lets it in, and comes into its record', async () => {
  const offer = async (pubKey: string, user?: object) =>
    await plugin.checkUserAndPublicKey({
      username: 'alice',
      pubKey,
      ...(user && { user: { ...known, ...user } }),
    });
  expect(await offer(`${key}\n`)).toMatchObject({
    grant: 'merge',
    user: { status: 1, ...home, public_keys: [key] },
  });
  const old = 'ssh-rsa AAAA of the administrator';
  expect(await offer(key, { ...home, public_keys: [old] })).toMatchObject({
    user: { public_keys: [old, key] },
  });
  expect(await offer(key, { ...home, public_keys: [`${key} a comment`] })).toMatchObject({
    grant: 'unchanged',
  });
});

test.each([
  ['another key', 'alice', otherKey, 'not a key of the user'],
  ['a key of somebody else', 'tina', key, 'not a key of the user'],
  ['a key of a disabled user', 'gone', key, 'not a key of the user'],
  [
    'a certificate',
    'alice',
    'ssh-ed25519-cert-v01@openssh.com AAAA',
    'an SSH certificate: list the key itself',
  ],
  ['no key', 'alice', '', 'expected "type base64 comment", without options before the type'],
])('%s is refused', async (_, username, pubKey, reason) => {
  expect(await plugin.checkUserAndPublicKey({ username, pubKey })).toEqual({ accepted: false, reason });
});

/** Made with `openssl req -x509`; `both` has two common names. */
const certificates: Readonly<Record<'one' | 'two' | 'both', { pem: string; fingerprint: string }>> =
  JSON.parse(readFileSync(join(import.meta.dirname, '../../test/vectors/client-certificates.json'), 'utf8'));

test('a certificate lets in by its fingerprint or its name, and comes into the record', async () => {
  const [one, two, both] = [certificates.one.pem, certificates.two.pem, certificates.both.pem];
  const { checkUserAndTLSCert } = call(
    authUsers({
      users: [
        {
          username: 'alice',
          tls: { fingerprints: [certificates.one.fingerprint] },
          settings: { filters: { tls_username: 'None' } },
        },
        { username: 'bob', tls: { commonName: 'alice' } },
        { username: 'eve', tls: { commonName: 'admin' } },
      ],
    }),
  );
  const show = async (username: string, tlsCert: string, filters: Record<string, unknown> = {}) =>
    await checkUserAndTLSCert({ username, tlsCert, user: { ...known, username, filters } });
  expect(await show('alice', one, { tls_certs: ['old'] })).toMatchObject({
    grant: 'merge',
    user: { filters: { tls_username: 'None', tls_certs: ['old', one] } },
  });
  expect(await show('alice', one, { tls_username: 'None', tls_certs: [one] })).toMatchObject({
    grant: 'unchanged',
  });
  expect(await show('bob', two)).toMatchObject({ grant: 'merge' });
  for (const [username, pem] of [
    ['alice', two],
    ['bob', both],
    ['eve', both],
    ['eve', one],
    ['nobody', one],
    ['alice', 'no certificate'],
    ['bob', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ] as const) {
    expect(await show(username, pem)).toMatchObject({ accepted: false });
  }
});

async function dialogue(username: string, answers: readonly string[], calls = plugin) {
  const requestID = `${username} ${answers.join()}`;
  let last = await calls.sendKeyboardAuthRequest({ username, requestID, step: 1, ip: '192.0.2.1' });
  for (const [index, answer] of answers.entries()) {
    last = await calls.sendKeyboardAuthRequest({ username, requestID, step: index + 2, answers: [answer] });
  }
  return last;
}

test('a dialogue asks for the password and, of those who have one, for a code', async () => {
  expect(await dialogue('alice', [])).toMatchObject({
    questions: ['Password: '],
    echos: [false],
    checkPassword: 0,
  });
  expect(await dialogue('alice', ['hunter2'])).toMatchObject({ accepted: true });
  expect(await dialogue('tina', ['hunter2'])).toMatchObject({
    accepted: undefined,
    questions: ['Authentication code: '],
  });
  expect(await dialogue('tina', ['hunter2', codeAt(nowMs)])).toMatchObject({ accepted: true });
});

test('a code is good once, and so are those before it', async () => {
  const calls = call(authUsers({ users }));
  const login = async (ms: number) => (await dialogue('tina', ['hunter2', codeAt(ms)], calls)).accepted;
  expect([await login(nowMs), await login(nowMs), await login(nowMs - 30_000)]).toEqual([true, false, false]);
  expect([await login(nowMs + 30_000), await login(nowMs + 30_000)]).toEqual([true, false]);
});

test.each([
  ['a wrong password', 'tina', ['hunter3']],
  ['a name that nobody has', 'nobody', ['hunter2']],
  ['a disabled user', 'gone', ['hunter2']],
  ['a wrong code', 'tina', ['hunter2', '000000']],
  ['a code of two minutes ago', 'tina', ['hunter2', codeAt(nowMs - 120_000)]],
  ['an empty code', 'tina', ['hunter2', '']],
  ['a code with more behind it', 'tina', ['hunter2', `${codeAt(nowMs)}0`]],
])('%s ends the dialogue', async (_, username, answers) => {
  expect((await dialogue(username, answers, call(authUsers({ users })))).accepted).toBe(false);
});

test('who may begin a dialogue', async () => {
  const begin = async (username: string) =>
    (await plugin.checkUserAndKeyboardInteractive({ username })).accepted;
  expect([await begin('alice'), await begin('nobody'), await begin('keys'), await begin('gone')]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test('only the logins that are wanted are handled', () => {
  expect(authUsers({ users, logins: ['publicKey'] }).handles).toEqual(['CheckUserAndPublicKey']);
  expect(authUsers({ users }).handles).toHaveLength(5);
});

test.each<[string, object, string]>([
  ['a hash of an unknown kind', { password: 'hunter2' }, 'users[0] (bob): password: no hash of a kind'],
  ['a key with options', { publicKeys: [`from="10.0.0.1" ${key}`] }, 'publicKeys.0: expected "type base64'],
  [
    'a key under another type',
    { publicKeys: [key.replace('ed25519', 'rsa')] },
    'publicKeys.0: the key is not of the type',
  ],
  ['a fingerprint that is none', { tls: { fingerprints: ['AB:CD'] } }, 'tls.fingerprints: expected SHA-256'],
  ['a short secret', { totp: { secret: 'JBSWY3DP' } }, 'totp: secret: expected base32'],
  ['a secret that is no base32', { totp: { secret: '0189'.repeat(8) } }, 'totp: secret'],
  ['seven-sided time', { totp: { secret, period: 7 } }, 'totp.period'],
  ['settings with keys', { settings: { public_keys: [] } }, 'settings.public_keys'],
  ['settings with a password', { settings: { password: 'x' } }, 'settings.password'],
  ['a key that does not exist', { passwort: hunter2 }, 'the user'],
])('%s is refused when the plugin is made', (_, user, problem) => {
  const make = () => authUsers({ users: [{ username: 'bob', ...user }] });
  expect(make).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(problem) }),
  );
  expect(make).not.toThrow(secret);
});

test('two users of one name are refused', () => {
  expect(() => authUsers({ users: [{ username: 'a' }, { username: 'a' }] })).toThrow(
    'users[1] (a): is there twice',
  );
});

test('a file is read again when it changes, and lets nobody in while it is wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'users-'));
  const path = join(folder, 'users.json');
  const calls = call(authUsers({ users: fileUsers({ variable: 'USERS_FILE' }), unknownUserHash: hunter2 }), {
    env: { USERS_FILE: path },
  });
  const login = async () =>
    (await calls.checkUserAndPass({ username: 'alice', password: 'hunter2' })).accepted;
  try {
    await expect(login()).rejects.toBeInstanceOf(FunctionError);
    writeFileSync(path, JSON.stringify(users));
    expect(await login()).toBe(true);
    writeFileSync(path, JSON.stringify([{ username: 'alice', password: '$2a$' }]));
    await expect(login()).rejects.toMatchObject({ code: 'failed_precondition' });
    writeFileSync(path, `[${hunter2}`);
    await expect(login()).rejects.toMatchObject({ code: 'failed_precondition' });
    expect(JSON.stringify(vi.mocked(console.error).mock.calls)).not.toContain('Sa1t');
    writeFileSync(path, '{}');
    await expect(login()).rejects.toMatchObject({ code: 'failed_precondition' });
    writeFileSync(path, '[]');
    expect(await login()).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
