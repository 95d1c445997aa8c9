import { expect, test } from 'vitest';
import { component, signatureBase } from './base.ts';

test.each(['a\n"@status": 200', 'a\rb', 'a\0', 'é', '\u2028'])(
  'a value with %j makes no signature base',
  (value) => {
    const source = { field: () => value };
    expect(() => signatureBase([component('x')], '()', source)).toThrow('covered component "x"');
  },
);

test('identifiers have their parameters in the order of the profile', () => {
  expect(component('signature', { req: true, key: 'sig' }).identifier).toBe('"signature";req;key="sig"');
  expect(component('@query-param', { queryName: 'Pet' }).identifier).toBe('"@query-param";name="Pet"');
});

test('no components give a base of the parameters alone', () => {
  expect(signatureBase([], '();created=1', { field: () => undefined })).toBe(
    '"@signature-params": ();created=1',
  );
});
