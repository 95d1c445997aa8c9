import { expect, test } from 'vitest';
import { auth } from './auth.ts';
import { ask, askCode, askPassword } from './dialogue.ts';
import { FunctionError } from './function-error.ts';
import { accept, denyLogin } from './login.ts';
import { call } from './test.ts';

const alice = { username: 'alice' };

test('what is written is what is handled; half a dialogue is a mistake', () => {
  const plugin = auth({
    checkUserAndPass: () => denyLogin('no'),
    checkUserAndTLSCert: () => denyLogin('no'),
  });
  expect(plugin.handles).toEqual(['CheckUserAndPass', 'CheckUserAndTLSCert']);
  for (const half of [
    { checkUserAndKeyboardInteractive: () => accept.unchanged() },
    { sendKeyboardAuthRequest: () => ask('?') },
  ]) {
    expect(() => auth(half)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
});

test('a handler sees the user with exact numbers, and whether SFTPGo knows it', async () => {
  const plugin = auth({
    checkUserAndPass: ({ user, isNew, password, ip, protocol }) =>
      accept.merge({ seen: { user, isNew, password, ip, protocol } }),
  });
  const user = { id: 7, username: 'alice', quota_size: 9_007_199_254_740_993n, filters: { a: [1.5, 2] } };
  const { user: patch } = await call(plugin).checkUserAndPass({ ...alice, password: 'pw', user });
  expect(patch).toEqual({
    seen: { user, isNew: false, password: 'pw', ip: '127.0.0.1', protocol: 'SSH' },
  });
});

test('merge and replace carry the user, unchanged none, a denial its reason', async () => {
  const answers = [
    accept.merge({ status: 1 }),
    accept.replace({ status: 1 }),
    accept.unchanged(),
    denyLogin('no'),
  ];
  const plugin = auth({ checkUserAndPublicKey: () => answers.shift() ?? denyLogin('over') });
  const ask = async () =>
    await call(plugin).checkUserAndPublicKey({ ...alice, pubKey: 'ssh-ed25519 AAAA\n', user: { id: 1 } });
  expect(await ask()).toEqual({ accepted: true, grant: 'merge', user: { status: 1 }, reason: '' });
  expect(await ask()).toEqual({ accepted: true, grant: 'replace', user: { status: 1 }, reason: '' });
  expect(await ask()).toMatchObject({ accepted: true, grant: 'unchanged' });
  expect(await ask()).toEqual({ accepted: false, reason: 'no' });
});

test('a public key comes without the line end that SFTPGo adds', async () => {
  const plugin = auth({ checkUserAndPublicKey: ({ pubKey }) => denyLogin(`<${pubKey}>`) });
  const { reason } = await call(plugin).checkUserAndPublicKey({ ...alice, pubKey: 'ssh-ed25519 AAAA\n' });
  expect(reason).toBe('<ssh-ed25519 AAAA>');
});

test.each([undefined, null, true, {}, { grant: 'all' }, ask('?')])(
  'a handler that answers %j lets nobody in',
  async (wrong) => {
    const plugin = auth({ checkUserAndPass: () => wrong as never });
    await expect(call(plugin).checkUserAndPass({ ...alice, password: '', user: { id: 1 } })).rejects.toThrow(
      TypeError,
    );
  },
);

test('a new user cannot be left unchanged', async () => {
  const plugin = auth({ checkUserAndPass: () => accept.unchanged() });
  await expect(call(plugin).checkUserAndPass({ ...alice, password: '' })).rejects.toThrow(/accept\.merge/);
});

test('what a handler throws is not a denial', async () => {
  const plugin = auth({
    checkUserAndTLSCert: () => {
      throw new FunctionError('unavailable', 'the directory is away');
    },
  });
  await expect(call(plugin).checkUserAndTLSCert({ ...alice, tlsCert: 'PEM' })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

/** A dialogue that asks for a city, then has SFTPGo check the password and the code. */
const plugin = auth({
  checkUserAndKeyboardInteractive: () => accept.unchanged(),
  sendKeyboardAuthRequest({ step, answers, ip, state, checked }) {
    if (step === 1)
      return ask([{ text: 'City: ', echo: true }, 'Word: '], { instructions: 'Hello', state: { ip } });
    if (step === 2)
      return answers[0] === 'Rome' ? askPassword('Password: ', { state }) : denyLogin('wrong city');
    if (step === 3) return checked === 'password' ? askCode() : denyLogin('not checked');
    return checked === 'code' && state === undefined ? accept.unchanged() : denyLogin('no');
  },
});

test('a dialogue goes through its steps with its state', async () => {
  const calls = call(plugin);
  expect(await calls.checkUserAndKeyboardInteractive({ ...alice, user: { id: 1 } })).toMatchObject({
    grant: 'unchanged',
  });
  expect(await calls.sendKeyboardAuthRequest({ ...alice, step: 1, ip: '192.0.2.1' })).toEqual({
    accepted: undefined,
    instructions: 'Hello',
    questions: ['City: ', 'Word: '],
    echos: [true, false],
    checkPassword: 0,
    reason: '',
  });
  const password = await calls.sendKeyboardAuthRequest({ ...alice, step: 2, answers: ['Rome', 'x'] });
  expect(password).toMatchObject({ questions: ['Password: '], echos: [false], checkPassword: 1 });
  const code = await calls.sendKeyboardAuthRequest({ ...alice, step: 3, answers: ['OK'] });
  expect(code).toMatchObject({ checkPassword: 2 });
  expect(await calls.sendKeyboardAuthRequest({ ...alice, step: 4, answers: ['OK'] })).toMatchObject({
    accepted: true,
  });
});

test.each([
  ['a step without the one before', [2]],
  ['a step a second time', [1, 2, 2]],
  ['a step too far', [1, 3]],
])('%s is denied', async (_, steps) => {
  const calls = call(plugin);
  let last: boolean | undefined;
  for (const step of steps) {
    ({ accepted: last } = await calls.sendKeyboardAuthRequest({ ...alice, step, answers: ['Rome'] }));
  }
  expect(last).toBe(false);
});

test('a state opens for its user and its dialogue only', async () => {
  const calls = call(plugin);
  await calls.sendKeyboardAuthRequest({ ...alice, step: 1 });
  const other = await calls.sendKeyboardAuthRequest({ username: 'bob', step: 2, answers: ['Rome'] });
  expect(other.accepted).toBe(false);
});

test('OK that somebody typed is an answer like any other; a check is believed only after it was asked for', async () => {
  const typed = auth({
    checkUserAndKeyboardInteractive: () => accept.unchanged(),
    sendKeyboardAuthRequest: ({ step, checked, answers }) =>
      step === 1 ? ask('Say OK: ') : denyLogin(`${checked} ${answers.join()}`),
  });
  const calls = call(typed);
  await calls.sendKeyboardAuthRequest({ ...alice, step: 1 });
  expect(await calls.sendKeyboardAuthRequest({ ...alice, step: 2, answers: ['OK'] })).toMatchObject({
    reason: 'undefined OK',
  });
  const asked = call(plugin);
  await asked.sendKeyboardAuthRequest({ ...alice, step: 1 });
  await asked.sendKeyboardAuthRequest({ ...alice, step: 2, answers: ['Rome'] });
  expect(await asked.sendKeyboardAuthRequest({ ...alice, step: 3, answers: ['secret'] })).toMatchObject({
    accepted: false,
    reason: 'SFTPGo checked nothing',
  });
});

test('a dialogue changes no user', async () => {
  const changing = auth({
    checkUserAndKeyboardInteractive: () => accept.unchanged(),
    sendKeyboardAuthRequest: () => accept.merge({ status: 1 }),
  });
  await expect(call(changing).sendKeyboardAuthRequest({ ...alice, step: 1 })).rejects.toThrow(TypeError);
});
