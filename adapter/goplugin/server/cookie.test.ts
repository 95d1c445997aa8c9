import { expect, test } from 'vitest';
import { checkCookie } from './cookie.ts';

const cookie = { name: 'KEY', value: 'secret-looking' };

test('the right value lets the plugin start', () => {
  expect(() => checkCookie({ KEY: 'secret-looking' }, cookie)).not.toThrow();
});

test.each([{}, { KEY: '' }, { KEY: 'other' }, { KEY: 'secret-looking ' }])('refused: %j', (env) => {
  expect(() => checkCookie(env, cookie)).toThrow(expect.objectContaining({ code: 'HOST_REFUSED' }));
});

test('a plugin that has no cookie itself never serves', () => {
  expect(() => checkCookie({ '': '' }, { name: '', value: '' })).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID' }),
  );
});
