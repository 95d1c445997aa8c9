import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { parseHash } from './check.ts';

interface Vector {
  readonly scheme: string;
  readonly password: string;
  readonly hash: string;
  readonly tool: string;
}

/** Made with other people's programs: each vector names its own. */
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/vectors/password-hashes.json'), 'utf8'),
);
const utf8 = new TextEncoder();

async function verify(hash: string, password: string): Promise<boolean> {
  const parsed = parseHash(hash);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return await parsed.check(utf8.encode(password));
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const schemes = [...new Set(vectors.map(({ scheme }) => scheme))];

test.each(schemes)('%s: the right password, and no other', async (scheme) => {
  for (const { hash, password } of vectors.filter((vector) => vector.scheme === scheme)) {
    expect([hash, await verify(hash, password)]).toEqual([hash, true]);
    expect([hash, await verify(hash, `${password.slice(1)}!`)]).toEqual([hash, false]);
  }
});

test.each(schemes.filter((scheme) => scheme !== 'bcrypt'))(
  '%s without the help of Node gives the same',
  async (scheme) => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    vi.stubGlobal('WebAssembly', undefined);
    const cheap = vectors.filter(
      ({ scheme: of, hash }) => of === scheme && !/m=65536|m=19456|\$150000\$/.test(hash),
    );
    expect(cheap.length).toBeGreaterThan(0);
    for (const { hash, password } of cheap.slice(0, 3)) {
      expect(await verify(hash, password)).toBe(true);
      expect(await verify(hash, `${password}!`)).toBe(false);
    }
  },
);

test('PBKDF2 with more iterations than WebCrypto takes on Workers', async () => {
  const { hash = '' } = vectors.find((vector) => vector.hash.includes('$150000$')) ?? {};
  const deriveBits = vi
    .spyOn(crypto.subtle, 'deriveBits')
    .mockRejectedValue(new Error('too many iterations'));
  expect(await verify(hash, 'hunter2')).toBe(true);
  expect(deriveBits).toHaveBeenCalledOnce();
  deriveBits.mockRestore();
});

test('a changed digit anywhere in a hash is another hash', async () => {
  for (const scheme of schemes) {
    const { hash, password } =
      vectors.find((vector) => vector.scheme === scheme && vector.password === 'hunter2') ?? {};
    if (hash === undefined || password === undefined) continue;
    const place = hash.length - 5;
    const changed = `${hash.slice(0, place)}${hash[place] === '1' ? '2' : '1'}${hash.slice(place + 1)}`;
    expect([changed, await verify(changed, password)]).toEqual([changed, false]);
  }
});

test('bcrypt looks at 72 bytes', async () => {
  const vector = vectors.find(({ scheme, password }) => scheme === 'bcrypt' && password.length === 72);
  expect(await verify(vector?.hash ?? '', `${vector?.password}and more`)).toBe(true);
  expect(await verify(vector?.hash ?? '', vector?.password.slice(1) ?? '')).toBe(false);
});

const salt = 'MDEyMzQ1Njc4OWFiY2RlZg';
const tag = 'A'.repeat(43);

test.each([
  ['', 'no hash'],
  ['hunter2', 'no hash'],
  ['$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317', 'yescrypt'],
  ['$argon2i$v=19$m=65536,t=1,p=2$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA', 'no hash'],
  [`$argon2id$v=16$m=65536,t=1,p=2$${salt}$${tag}`, 'damaged'],
  [`$argon2id$v=19$m=1048577,t=1,p=2$${salt}$${tag}`, 'beyond'],
  [`$argon2id$v=19$m=65536,t=65,p=2$${salt}$${tag}`, 'beyond'],
  [`$argon2id$v=19$m=65536,t=0,p=2$${salt}$${tag}`, 'damaged'],
  [`$argon2id$v=19$m=7,t=1,p=1$${salt}$${tag}`, 'damaged'],
  [`$argon2id$v=19$m=65536,t=1,p=2$${salt}$`, 'damaged'],
  [`$2a$17$${'a'.repeat(53)}`, 'beyond'],
  [`$2a$10$${'a'.repeat(52)}`, 'damaged'],
  ['$pbkdf2-sha256$0$salt$AAAAAAAAAAAAAAAAAAAAAA==', 'damaged'],
  ['$pbkdf2-sha256$99999999$salt$AAAAAAAAAAAAAAAAAAAAAA==', 'beyond'],
  ['$pbkdf2-sha256$1000$salt$', 'damaged'],
  ['$pbkdf2-b64salt-sha512$1000$c2FsdA==$AAAAAAAAAAAAAAAAAAAAAA==', 'damaged'],
  ['$pbkdf2-md5$1000$salt$AAAAAAAAAAAAAAAAAAAAAA==', 'damaged'],
  [`$6$rounds=5000001$salt$${'a'.repeat(86)}`, 'beyond'],
  [`$5$salt$${'a'.repeat(86)}`, 'damaged'],
  [`$1$salt$${'a'.repeat(21)}`, 'damaged'],
  ['{MD5}d41d8cd98f00b204e9800998ecf8427', 'damaged'],
  [`{SHA256}${'0'.repeat(32)}`, 'damaged'],
  [`{SHA512}${'0'.repeat(64)}`, 'damaged'],
  ['{SHA1}da39a3ee5e6b4b0d3255bfef95601890afd80709', 'no hash'],
])('%j is refused, with what is wrong and nothing of the hash', (hash, reason) => {
  const parsed = parseHash(hash);
  const problem = 'problem' in parsed ? parsed.problem : '';
  expect(problem).toContain(reason);
  expect(problem).not.toContain(hash.slice(12) || 'x');
});
