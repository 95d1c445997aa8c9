import { expect, test, vi } from 'vitest';
import { ipfilterSection } from '../policies/ipfilter/config.ts';
import { parseConfig } from './parse.ts';
import { configSchema } from './schema.ts';

const lines = [
  'identity: adapter.key.json',
  'lock: { file: bundles.lock.json }',
  'trust: { file: signers.jwks.json }',
  'ipfilter:',
  '  use: office',
];

const good = `${lines.join('\n')}\n`;

/** The good configuration with lines added or put in the place of others. */
function changed(...edits: readonly string[]): string {
  const copy = [...lines];
  for (const edit of edits) {
    const key = /^\s*[\w-]+:/.exec(edit)?.[0];
    const index = copy.findIndex((line) => key !== undefined && line.startsWith(key));
    if (index < 0) copy.push(edit);
    else copy[index] = edit;
  }
  return `${copy.join('\n')}\n`;
}

const topKeys = Object.keys(configSchema.shape).join(', ');
const sectionKeys = Object.keys(ipfilterSection.shape).join(', ');
const withUnit = 'a duration with its unit: 800ms, 30s, 5m, 1h';

const mistakes: readonly (readonly [mistake: string, text: string, message: string])[] = [
  [
    'a misspelt section',
    changed('ipfiltr: { use: office }'),
    `6:1 has an unknown key "ipfiltr"; expected one of ${topKeys}. Did you mean "ipfilter"?`,
  ],
  [
    'a misspelt key',
    changed('  onUnavailble: deny'),
    `6:3 has an unknown key "ipfilter.onUnavailble"; expected one of ${sectionKeys}. Did you mean "onUnavailable"?`,
  ],
  [
    'a misspelt key inside braces',
    changed('  cache: { entires: 5 }'),
    '6:12 has an unknown key "ipfilter.cache.entires"; expected one of entries, bytes, staleIfError, widestScope. Did you mean "entries"?',
  ],
  [
    'a key that is like no other',
    changed('colour: blue'),
    `6:1 has an unknown key "colour"; expected one of ${topKeys}. Remove it.`,
  ],
  ['a number as key', changed('5: x'), `6:1 has an unknown key "5"; expected one of ${topKeys}. Remove it.`],
  [
    'a misspelt word',
    changed('  onUnavailable: alow'),
    '6:3 has a wrong value at "ipfilter.onUnavailable"; expected deny | allow. Did you mean "allow"?',
  ],
  [
    'a word far from all choices',
    changed('  integrity: { require: nothing }'),
    '6:16 has a wrong value at "ipfilter.integrity.require"; expected platform | observed | claimed. Correct it.',
  ],
  [
    'a duration without unit',
    changed('  timeout: 800'),
    `6:3 has a wrong value at "ipfilter.timeout"; expected ${withUnit}. Correct it.`,
  ],
  [
    'a duration with a blank',
    changed('  timeout: 800 ms'),
    `6:3 has a wrong value at "ipfilter.timeout"; expected ${withUnit}. Correct it.`,
  ],
  [
    'a duration that is too short',
    changed('  timeout: 1ms'),
    '6:3 has a wrong value at "ipfilter.timeout"; expected at least 10 ms. Correct it.',
  ],
  [
    'a duration that is too long',
    changed('  cache: { staleIfError: 2d }'),
    '6:12 has a wrong value at "ipfilter.cache.staleIfError"; expected at most 86400000 ms. Correct it.',
  ],
  ['a tab', 'identity: a\nlock:\n\tfile: b\n', '3:1 is indented with a tab; expected spaces. Correct it.'],
  [
    'a key twice',
    `${good}identity: other.key.json\n`,
    '6:1 has the key "identity" twice; expected each key once. Correct it.',
  ],
  [
    'a missing section',
    good.replace(/trust.*\n/, ''),
    '1:1 lacks "trust"; expected the keys file, threshold. Add it.',
  ],
  ['a missing key', changed('lock: {}'), '2:1 lacks "lock.file"; expected text. Add it.'],
  [
    'an empty section',
    changed('lock:'),
    '2:1 has a wrong value at "lock"; expected the keys file, onExpired. Correct it.',
  ],
  [
    'text in place of a section',
    changed('lock: bundles.lock.json'),
    '2:1 has a wrong value at "lock"; expected the keys file, onExpired. Correct it.',
  ],
  [
    'a negative number',
    changed('  cache: { entries: -1 }'),
    '6:12 has a wrong value at "ipfilter.cache.entries"; expected at least 0. Correct it.',
  ],
  [
    'a number that is too large',
    changed('trust: { file: a, threshold: 17 }'),
    '3:19 has a wrong value at "trust.threshold"; expected at most 16. Correct it.',
  ],
  [
    'half a number',
    changed('  cache: { entries: 1.5 }'),
    '6:12 has a wrong value at "ipfilter.cache.entries"; expected a whole number. Correct it.',
  ],
  [
    'text in place of a number',
    changed('  cache: { entries: "100" }'),
    '6:12 has a wrong value at "ipfilter.cache.entries"; expected a number. Correct it.',
  ],
  [
    'text in place of a list',
    changed('  alwaysAllow: 10.0.0.0/8'),
    '6:3 has a wrong value at "ipfilter.alwaysAllow"; expected a list: [a, b]. Correct it.',
  ],
  [
    'an address that is none',
    changed('  alwaysAllow: [10.0.0.0/8, 10.0.0.300]'),
    '6:29 has a wrong value at "ipfilter.alwaysAllow.1"; expected a network prefix, as 10.0.0.0/8 or ::1/128. Correct it.',
  ],
  [
    'a function that cannot be named so',
    changed('  use: Office Live'),
    '5:3 has a wrong value at "ipfilter.use"; expected name or name@stage, as office@live. Correct it.',
  ],
  [
    'a path that is empty',
    changed('identity: ""'),
    '1:1 has a wrong value at "identity"; expected text that is not empty. Correct it.',
  ],
  [
    'an alias',
    'lock: &a { file: b }\ntrust: *a\n',
    '2:8 has an alias "*a"; expected the value itself. Write it out.',
  ],
  [
    'a tag',
    changed('identity: !include key.json'),
    '1:11 is not YAML: Unresolved tag: !include; expected YAML 1.2. Correct it.',
  ],
  [
    'a second document',
    `${good}---\n${good}`,
    '6:1 begins a second document; expected one document, without a line ---. Correct it.',
  ],
  [
    'JSON without a comma',
    '{"identity": "a",\n "lock": {"file": "b"}\n "trust": 1}',
    '3:2 is not YAML: Missing , between flow map items; expected YAML 1.2. Correct it.',
  ],
  ['an empty file', '', `1:1 is empty; expected the keys ${topKeys}. Write them, or correct the path.`],
  [
    'only a comment',
    '# later\n',
    `1:1 is empty; expected the keys ${topKeys}. Write them, or correct the path.`,
  ],
  [
    'another kind of file',
    '-----BEGIN CERTIFICATE-----\n',
    `1:1 is no configuration; expected the keys ${topKeys}. Write them, or correct the path.`,
  ],
];

test.each(mistakes)('%s', (_, text, message) => {
  expect(() => parseConfig(text, 'host.yaml')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: `host.yaml:${message}` }),
  );
});

test('defaults are filled in, durations become milliseconds', () => {
  expect(parseConfig(changed('  timeout: 800ms', '  cache: { staleIfError: 2h }'), 'host.yaml')).toEqual({
    identity: 'adapter.key.json',
    lock: { file: 'bundles.lock.json', onExpired: 'serve' },
    trust: { file: 'signers.jwks.json', threshold: 1 },
    ipfilter: {
      use: 'office@live',
      timeout: 800,
      integrity: { require: 'claimed' },
      onUnavailable: 'deny',
      alwaysAllow: ['127.0.0.0/8', '::1/128'],
      maxUnanswered: 1000,
      cache: {
        entries: 100_000,
        bytes: 33_554_432,
        staleIfError: 7_200_000,
        widestScope: { ipv4: 16, ipv6: 32 },
      },
    },
  });
});

test.each([
  ['JSON', JSON.stringify(parseConfigInput(), undefined, 2)],
  ['JSON indented with tabs', JSON.stringify(parseConfigInput(), undefined, '\t')],
  ['a byte order mark', `\uFEFF${good}`],
  ['lines as Windows ends them', good.replaceAll('\n', '\r\n')],
])('%s works', (_, text) => {
  expect(parseConfig(text, 'host.json')).toEqual(parseConfig(good, 'host.yaml'));
});

function parseConfigInput(): object {
  return {
    identity: 'adapter.key.json',
    lock: { file: 'bundles.lock.json' },
    trust: { file: 'signers.jwks.json' },
    ipfilter: { use: 'office' },
  };
}

test('a key pasted where its path belongs is refused without being quoted', () => {
  const pasted = { ...parseConfigInput(), identity: '{"kty":"OKP","d":"a-private-key"}' };
  const refusal = (() => {
    try {
      return String(parseConfig(JSON.stringify(pasted), 'host.json'));
    } catch (error) {
      return String(error);
    }
  })();
  expect(refusal).toContain('the path of a file, not its content');
  expect(refusal).not.toContain('a-private-key');
});

test('a key that is a collection is refused without a word on stderr, which is the log', () => {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
  expect(() => parseConfig('{ a: 1 }: b\n[c]: d\n', 'serverless.yaml')).toThrow('serverless.yaml');
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});
