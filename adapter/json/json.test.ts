import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatJson } from './format.ts';
import { mergePatch } from './merge-patch.ts';
import { parseJson } from './parse.ts';
import { equal, isObject, type JsonObject } from './tree.ts';

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

test.each([
  ['a key twice', '{"a":1,"a":2}', /occurs twice/],
  ['a key twice, deep inside', '{"a":[{"b":{"c":1,"d":2,"c":1}}]}', /occurs twice/],
  ['a key twice, once escaped', '{"a":1,"\\u0061":2}', /occurs twice/],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}', /occurs twice/],
  ['an object twice, which Go would merge', '{"f":{"x":true},"f":{}}', /occurs twice/],
  ['half a surrogate pair', '{"a":"\\ud800"}', /surrogate/],
  ['half a surrogate pair in a key', '{"\\udc00":1}', /surrogate/],
  ['NUL in a text', '["a\\u0000b"]', /NUL/],
  ['NUL in a key', '{"\\u0000":1}', /NUL/],
  ['33 levels', nested(33), /levels/],
  ['100,000 levels', nested(100_000), /levels/],
  ['something behind it', '{} {}', /follows/],
  ['a comma at the end', '[1,]', /not JSON/],
  ['a comma at the end of an object', '{"a":1,}', /not JSON/],
  ['a comment', '{}//', /follows/],
  ['a bare control character', '["a\nb"]', /not JSON/],
  ['a text without an end', '"abc', /not JSON/],
  ['an escape that is none', '"\\x"', /not JSON/],
  ['an escape at the end', '"\\', /not JSON/],
  ['a leading zero', '01', /follows/],
  ['a plus sign', '+1', /not JSON/],
  ['a bare point', '.5', /not JSON/],
  ['NaN', 'NaN', /not JSON/],
  ['a key without quotes', '{a:1}', /not JSON/],
  ['single quotes', "{'a':1}", /not JSON/],
  ['a value missing', '{"a":}', /not JSON/],
  ['a colon missing', '{"a" 1}', /not JSON/],
  ['nothing', '', /not JSON/],
  ['white space that JSON does not have', '\u00a0{}', /not JSON/],
  ['a byte order mark', '\ufeff{}', /not JSON/],
])('refused: %s', (_, text, why) => {
  expect(() => parseJson(text)).toThrow(why);
});

test('32 levels are read', () => {
  expect(formatJson(parseJson(nested(32)))).toBe(nested(32));
});

test('numbers keep every digit', () => {
  const text = '[9223372036854775807,-9223372036854775808,0,1.10,1E+2,1697040000123456789]';
  expect(formatJson(parseJson(text))).toBe(text);
});

test('__proto__ is a key like any other', () => {
  const tree = parseJson('{"__proto__":{"id":1}}');
  expect(isObject(tree) && tree.get('__proto__')).toEqual(new Map([['id', { number: '1' }]]));
  expect(formatJson(tree)).toBe('{"__proto__":{"id":1}}');
});

test('what JSON.parse reads of JSON.stringify, it reads too', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 10, stringUnit: 'binary' }), (text) => {
      let tree: unknown;
      try {
        tree = formatJson(parseJson(text));
      } catch {
        // NUL is refused on purpose
        expect(text).toMatch(/\\u0000/);
        return;
      }
      expect(JSON.parse(String(tree))).toEqual(JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test('what is accepted, JSON.parse accepts: no text out of JSON pieces slips through', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"\\u0061"',
    '1',
    '-0',
    '1e5',
    'null',
    ' ',
    'x',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      let written: string;
      try {
        written = formatJson(parseJson(text));
      } catch {
        return;
      }
      expect(JSON.parse(written)).toEqual(JSON.parse(text));
    }),
    { numRuns: 10_000 },
  );
});

/** RFC 7396, appendix A: original, patch, result. */
test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('merge patch: %s with %s is %s', (original, patch, result) => {
  expect(formatJson(mergePatch(parseJson(original), parseJson(patch) as JsonObject))).toBe(result);
});

test('equal goes by content, and by the text of numbers', () => {
  const same = (a: string, b: string) => equal(parseJson(a), parseJson(b));
  expect(same('{"a":1,"b":[true,null]}', '{"b":[true,null],"a":1}')).toBe(true);
  for (const [a, b] of [
    ['1', '1.0'],
    ['{"a":1}', '{"a":1,"b":2}'],
    ['{"a":null}', '{"b":null}'],
    ['[1,2]', '[2,1]'],
    ['{}', '[]'],
    ['"1"', '1'],
  ] as const) {
    expect(same(a, b)).toBe(false);
  }
});
