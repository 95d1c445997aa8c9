import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dictionaryMember } from './structured-field.ts';

test.each([
  ['a=1', 'a', '1'],
  ['a=-0042', 'a', '-42'],
  ['a=1.50', 'a', '1.5'],
  ['a=2.0', 'a', '2.0'],
  ['a', 'a', '?1'],
  ['a;x', 'a', '?1;x'],
  ['a=?0', 'a', '?0'],
  ['a=1;x=?1;y=?0', 'a', '1;x;y=?0'],
  ['a="b, c;d=\\"e\\""', 'a', '"b, c;d=\\"e\\""'],
  ['a=tok/en:x, b=2', 'a', 'tok/en:x'],
  ['a=:AAAA:;x=*t', 'a', ':AAAA:;x=*t'],
  ['a=()', 'a', '()'],
  ['a=(  "x"   1;p )  ; q=2', 'a', undefined],
  ['a=(  "x"   1;p );  q=2', 'a', '("x" 1;p);q=2'],
  ['a=1 \t,\t b=2 ', 'b', '2'],
  ['*a._-=1', '*a._-', '1'],
])('%s has at %s %s', (field, key, value) => {
  expect(dictionaryMember(field, key)).toBe(value);
});

test.each([
  '',
  'b=1',
  'a=',
  'a=1,',
  'a=1,,b=2',
  'a=1 b=2',
  'a=1, a=2',
  'a=1;x;x',
  'a=1;',
  'A=1',
  'a="b',
  'a="é"',
  'a=:AAA:',
  'a=:AB==:',
  'a=1.',
  'a=1.0000',
  'a=1234567890123456',
  'a=@1659578233',
  'a=%"x"',
  'a=(1 2',
  'a=(1,2)',
  'a=("x""y")',
  'a=?2',
])('%s has no usable member a', (field) => {
  expect(dictionaryMember(field, 'a')).toBeUndefined();
});

test('a serialised member reads back as itself', () => {
  const item = fc.oneof(
    fc.integer().map(String),
    fc.constantFrom('?0', '"a \\\\ b"', 'token', ':AAAA:', '1.25', '(1 "two" three;x=4)', '()'),
  );
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), (items) => {
      const field = items.map((each, index) => `k${index}=${each}`).join(',  ');
      items.forEach((each, index) => {
        expect(dictionaryMember(field, `k${index}`)).toBe(each);
      });
    }),
    { numRuns: 1000 },
  );
});
