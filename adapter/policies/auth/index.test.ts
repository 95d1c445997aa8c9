import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Auth, AuthResponseSchema, KeyboardAuthResponseSchema } from '../../../proto/gen/sftpgo/auth_pb.ts';
import { callOf } from '../../../test/support/invoke.ts';
import { codeOf, factsWith, failure } from '../../../test/support/policies.ts';
import type { Call, Facts } from '../../shapes.ts';
import { compose } from '../compose.ts';
import { authSection } from './config.ts';
import { authPolicies } from './index.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const utf8 = new TextEncoder();

/** As SFTPGo sends a user, with everything that must not leave the host. */
const alice = {
  id: 7,
  username: 'alice',
  status: 1,
  password: 'SECRET-hash',
  email: 'alice@example.com',
  public_keys: ['ssh-ed25519 KEY'],
  permissions: { '/': ['list'] },
  oidc_custom_fields: { a: 'SECRET-oidc' },
  of_a_newer_sftpgo: 'SECRET-unknown',
  filters: {
    totp_config: { enabled: true, protocols: ['FTP'], secret: { status: 'AWS', payload: 'SECRET-totp' } },
    recovery_codes: [{ secret: { payload: 'SECRET-code' } }],
    of_a_newer_sftpgo: 'SECRET-unknown',
  },
  virtual_folders: [
    {
      name: 'docs',
      virtual_path: '/docs',
      users: ['SECRET-bob'],
      filesystem: { provider: 2, gcsconfig: { bucket: 'docs', credentials: { payload: 'SECRET-gcs' } } },
    },
  ],
  filesystem: {
    provider: 1,
    s3config: {
      bucket: 'team-a',
      access_key: 'AKIA',
      access_secret: { payload: 'SECRET-s3' },
      sse_customer_key: { payload: 'SECRET-sse' },
      session_token: 'SECRET-token',
    },
    gcsconfig: { credentials: { payload: 'SECRET-gcs' } },
    azblobconfig: { account_key: { payload: 'SECRET-az' }, sas_url: { payload: 'SECRET-sas' } },
    cryptconfig: { passphrase: { payload: 'SECRET-crypt' } },
    sftpconfig: {
      password: { payload: 'SECRET-pw' },
      private_key: { payload: 'SECRET-key' },
      key_passphrase: { payload: 'SECRET-phrase' },
    },
    httpconfig: { password: { payload: 'SECRET-pw' }, api_key: { payload: 'SECRET-api' } },
  },
};

interface Answer {
  readonly facts?: Partial<Facts>;
  readonly user?: object | string;
  readonly step?: MessageInitShape<typeof KeyboardAuthResponseSchema>;
  readonly error?: Error;
}

/** The policies of a section over a function that answers `answers` one after the other. */
function plugin(section: object, ...answers: readonly Answer[]) {
  const calls: Call[] = [];
  const policies = authPolicies(authSection.parse({ use: 'team', ...section }));
  const handle = compose(policies, async (call) => {
    calls.push(call);
    const { facts = {}, user = '', step, error } = answers[Math.min(calls.length, answers.length) - 1] ?? {};
    if (error) throw error;
    const text = typeof user === 'string' ? user : JSON.stringify(user);
    const output =
      call.method.output === AuthResponseSchema
        ? create(AuthResponseSchema, { user: utf8.encode(text) })
        : create(KeyboardAuthResponseSchema, step);
    return { output, facts: factsWith(facts) };
  });
  return {
    calls,
    async login(input: { readonly protocol?: string; readonly user?: Uint8Array } = {}) {
      const user = utf8.encode(JSON.stringify(alice));
      return await handle(
        callOf(Auth.method.checkUserAndPass, { username: 'alice', protocol: 'SSH', user, ...input }),
      );
    },
    step: (step: number, input: object = {}) =>
      codeOf(
        handle(
          callOf(Auth.method.sendKeyboardAuthRequest, {
            ...{ requestID: 'd1', username: 'alice', password: 'SECRET-hash', step },
            ...input,
          }),
        ),
      ),
  };
}

function sent(call: Call | undefined): { readonly text: string; readonly user: unknown } {
  if (call === undefined) throw new Error('nothing was sent');
  const { user } = call.input as unknown as { readonly user: Uint8Array };
  const text = new TextDecoder().decode(user);
  return { text, user: JSON.parse(text) };
}

const unchanged = { facts: { grant: 'unchanged' } } as const;

test('a function sees no hash, no secret and no key that this release does not know', async () => {
  const { login, calls } = plugin({}, unchanged);
  await login();
  expect(sent(calls[0]).text).not.toMatch(/SECRET/);
  expect(sent(calls[0]).user).toMatchObject({
    id: 7,
    username: 'alice',
    email: 'alice@example.com',
    public_keys: ['ssh-ed25519 KEY'],
    permissions: { '/': ['list'] },
    filters: { totp_config: { enabled: true, protocols: ['FTP'] } },
    virtual_folders: [{ name: 'docs', filesystem: { provider: 2, gcsconfig: { bucket: 'docs' } } }],
    filesystem: { provider: 1, s3config: { bucket: 'team-a', access_key: 'AKIA' } },
  });
});

test('send: full shows the user as it is', async () => {
  const { login, calls } = plugin({ send: 'full' }, unchanged);
  await login();
  expect(sent(calls[0]).user).toEqual(alice);
});

test('numbers reach the function digit by digit', async () => {
  const { login, calls } = plugin({}, unchanged);
  const user = utf8.encode('{"id":9223372036854775807,"last_login":1697040000123456789}');
  await login({ user });
  expect(sent(calls[0]).text).toBe('{"id":9223372036854775807,"last_login":1697040000123456789}');
});

test('what the function did not see comes back to the host', async () => {
  const { login } = plugin({}, { facts: { grant: 'merge' }, user: { description: 'x' } });
  const { output } = await login();
  expect(sent({ input: output } as Call).user).toEqual({ ...alice, description: 'x' });
});

test('each kind of login adds what it offered, and only that', async () => {
  const record = utf8.encode(JSON.stringify(alice));
  const keys = ['ssh-ed25519 KEY', 'ssh-ed25519 NEW'];
  const grant = (user: object) => plugin({}, { facts: { grant: 'merge' }, user });
  const handleOf = (user: object) => {
    const policies = authPolicies(authSection.parse({ use: 'team' }));
    return compose(policies, async () => ({
      output: create(AuthResponseSchema, { user: utf8.encode(JSON.stringify(user)) }),
      facts: factsWith({ grant: 'merge' }),
    }));
  };
  const byKey = handleOf({ public_keys: keys });
  const offer = (pubKey: string) =>
    codeOf(byKey(callOf(Auth.method.checkUserAndPublicKey, { username: 'alice', pubKey, user: record })));
  expect([await offer('ssh-ed25519 NEW\n'), await offer('ssh-ed25519 OLD\n')]).toEqual([
    'answered',
    'GRANT_REFUSED',
  ]);
  const byCert = handleOf({ filters: { tls_certs: ['PEM'] } });
  const show = (tlsCert: string) =>
    codeOf(byCert(callOf(Auth.method.checkUserAndTLSCert, { username: 'alice', tlsCert, user: record })));
  expect([await show('PEM'), await show('MEP')]).toEqual(['answered', 'GRANT_REFUSED']);
  expect(await codeOf(grant({ public_keys: keys }).login())).toBe('GRANT_REFUSED');
  const byDialogue = handleOf({ public_keys: keys });
  const input = { username: 'alice', user: record };
  expect(await codeOf(byDialogue(callOf(Auth.method.checkUserAndKeyboardInteractive, input)))).toBe(
    'GRANT_REFUSED',
  );
});

test('a policy that let an answer pass without facts would let nobody in', async () => {
  const policies = authPolicies(authSection.parse({ use: 'team' }));
  const handle = compose(policies, async () => ({ output: create(AuthResponseSchema) }));
  const user = utf8.encode(JSON.stringify(alice));
  expect(await codeOf(handle(callOf(Auth.method.checkUserAndPass, { username: 'alice', user })))).toBe(
    'GRANT_REFUSED',
  );
});

test.each(['', 'null', '[]', '{}', '{"id":"7"}', '{"id":-1}', '{"id":1.5}', '{"id":1,"id":0}', '\xff'])(
  'a host that sends no user gets no login: %j',
  async (text) => {
    const { login, calls } = plugin({}, unchanged);
    expect(await codeOf(login({ user: Uint8Array.from(Buffer.from(text, 'latin1')) }))).toBe('INPUT_INVALID');
    expect(calls).toHaveLength(0);
  },
);

test('a one-time code at the end of an FTP password is refused before anything is sent', async () => {
  const { login, calls } = plugin({}, unchanged);
  expect(await codeOf(login({ protocol: 'FTP' }))).toBe('GRANT_REFUSED');
  expect(calls).toHaveLength(0);
  for (const totp_config of [
    { enabled: false, protocols: ['FTP'] },
    { enabled: true, protocols: ['SSH'] },
    null,
  ]) {
    const user = utf8.encode(JSON.stringify({ ...alice, filters: { totp_config } }));
    expect(await codeOf(login({ protocol: 'FTP', user }))).toBe('answered');
  }
});

test('a login whose call may have arrived is not sent again', async () => {
  const { login, calls } = plugin({}, { error: failure('UNREACHABLE') }, unchanged);
  expect(await codeOf(login())).toBe('UNREACHABLE');
  expect(calls).toHaveLength(1);
});

test('no login is remembered', async () => {
  const { login, calls } = plugin({}, { facts: { grant: 'unchanged', freshMs: 60_000, staleMs: 60_000 } });
  await login();
  await login();
  expect(calls).toHaveLength(2);
});

const question = (dialogue?: string): Answer => ({
  step: { questions: ['City: '], echos: [true] },
  facts: dialogue === undefined ? {} : { dialogue },
});
const success: Answer = { step: { authResult: 1 }, facts: { grant: 'unchanged' } };

test('the state of a dialogue goes to its next step, and no password hash with it', async () => {
  const { step, calls } = plugin({}, question('state-1'), question('state-2'), success);
  expect([await step(1), await step(2), await step(3)]).toEqual(['answered', 'answered', 'answered']);
  expect(calls.map(({ headers }) => headers)).toEqual([
    undefined,
    [['plugin-dialogue', 'state-1']],
    [['plugin-dialogue', 'state-2']],
  ]);
  expect(JSON.stringify(calls.map(({ input }) => input))).not.toContain('SECRET');
});

test('send: full shows the password hash', async () => {
  const { step, calls } = plugin({ send: 'full' }, question());
  await step(1);
  expect(calls[0]?.input).toMatchObject({ password: 'SECRET-hash' });
});

test.each([
  ['without the one before', [[2]], 'GRANT_REFUSED', 0],
  ['after a gap', [[1], [3]], 'GRANT_REFUSED', 1],
  ['a second time', [[1], [2], [2]], 'GRANT_REFUSED', 2],
  ['of another user', [[1], [2, { username: 'bob' }]], 'GRANT_REFUSED', 1],
  ['of another dialogue', [[1], [2, { requestID: 'd2' }]], 'GRANT_REFUSED', 1],
  ['with a number below 1', [[0]], 'INPUT_INVALID', 0],
] as const)('a step %s is refused unasked', async (_, steps, code, asked) => {
  const { step, calls } = plugin({}, question('s'));
  let last = '';
  for (const [number, input] of steps) last = await step(number, input);
  expect([last, calls.length]).toEqual([code, asked]);
});

test('a step is refused two minutes after the one before', async () => {
  const { step, calls } = plugin({}, question('s'));
  await step(1);
  vi.advanceTimersByTime(119_999);
  expect(await step(2)).toBe('answered');
  vi.advanceTimersByTime(120_000);
  expect([await step(3), calls.length]).toEqual(['GRANT_REFUSED', 2]);
});

test('a state was used even if its step failed', async () => {
  const { step } = plugin({}, question('s'), { error: failure('UNREACHABLE') }, success);
  expect([await step(1), await step(2), await step(2)]).toEqual(['answered', 'UNREACHABLE', 'GRANT_REFUSED']);
});

test('ten thousand dialogues wait, and the oldest gives way', async () => {
  const { step } = plugin({}, question('s'));
  for (let n = 0; n <= 10_000; n += 1) await step(1, { requestID: `d${n}` });
  expect([await step(2, { requestID: 'd0' }), await step(2, { requestID: 'd1' })]).toEqual([
    'GRANT_REFUSED',
    'answered',
  ]);
});

test('a dialogue that ends well at once needs the word of the configuration; any end needs a grant', async () => {
  expect(await plugin({}, success).step(1)).toBe('GRANT_REFUSED');
  const open = { keyboardInteractive: { withoutQuestion: 'accept' } };
  expect(await plugin(open, success).step(1)).toBe('answered');
  expect(await plugin(open, { step: { authResult: 1 } }).step(1)).toBe('GRANT_REFUSED');
  expect(await plugin(open, { step: { authResult: 1 }, facts: { grant: 'merge' } }).step(1)).toBe(
    'GRANT_REFUSED',
  );
  expect(await plugin({}, { step: { authResult: -1 } }).step(1)).toBe('answered');
});

test.each([
  [{ questions: [] }],
  [{ questions: ['a'], echos: [] }],
  [{ questions: ['a'], echos: [true, false] }],
  [{ questions: ['a', 'b'], echos: [true, true], checkPassword: 1 }],
  [{ questions: ['a'], echos: [true], checkPassword: 3 }],
  [{ questions: ['a'], echos: [true], checkPassword: -1 }],
  [{ questions: Array(17).fill('a'), echos: Array(17).fill(true) }],
  [{ questions: ['a\u001b[2J'], echos: [true] }],
  [{ questions: ['a'], echos: [true], instructions: '\u009b31m' }],
  [{ questions: ['a'.repeat(4097)], echos: [true] }],
  [{ questions: ['a'], echos: [true], authResult: 1 }],
])('a step that SFTPGo would fail, or a terminal obey, is refused: %j', async (step) => {
  expect(await plugin({}, { step, facts: { grant: 'unchanged' } }).step(1)).toBe('ANSWER_INVALID');
});

test('lines, letters and checks that are in order pass', async () => {
  for (const step of [
    { questions: ['Stadt für Köln:\t'], echos: [true], instructions: 'Hallo\r\n' },
    { questions: ['Password: '], echos: [false], checkPassword: 1 },
    { questions: ['Code: '], echos: [false], checkPassword: 2 },
  ]) {
    expect(await plugin({}, { step }).step(1)).toBe('answered');
  }
});

test('a state above 4 KB is refused', async () => {
  expect(await plugin({}, question('x'.repeat(4097))).step(1)).toBe('ANSWER_INVALID');
  expect(await plugin({}, question('x'.repeat(4096))).step(1)).toBe('answered');
});

test.each([
  [{ homes: ['srv/sftp'] }],
  [{ homes: ['/srv/sftp/'] }],
  [{ homes: ['/srv/../etc'] }],
  [{ homes: ['/'] }],
  [{ permissions: ['read'] }],
  [{ providers: ['ftp'] }],
  [{ groups: ['*-team'] }],
  [{ groups: [''] }],
  [{ groups: ['a*b*'] }],
  [{ fields: ['password'] }],
  [{ fields: ['home_dir'] }],
  [{ onExcess: 'clip' }],
  [{ admins: ['a'] }],
])('a ceiling that says something else than it means is no configuration: %j', (ceiling) => {
  expect(authSection.safeParse({ use: 'team', ceiling }).success).toBe(false);
});
