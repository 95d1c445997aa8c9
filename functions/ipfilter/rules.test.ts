import { expect, test } from 'vitest';
import { checkRules, type Rules } from './rules.ts';

const located = {
  default: 'deny',
  private: 'rules',
  unknown: 'deny',
  databases: { country: { file: 'country.mmdb' }, asn: { file: 'asn.mmdb' } },
} as const;
const good = { action: 'allow', networks: ['10.0.0.0/8'] } as const;

test.each<[string, unknown, string]>([
  ['no default', { rules: [] }, 'default is missing; expected allow or deny. Say what happens'],
  ['another default', { default: 'maybe', rules: [] }, 'default is neither'],
  ['no rules', { default: 'deny' }, 'rules is not a list'],
  ['a misspelt key', { default: 'deny', rules: [{ ...good, network: [] }] }, "rules[0] has a key 'network'"],
  ['a misspelt key of the list', { default: 'deny', rules: [], rule: [] }, "the rule list has a key 'rule'"],
  ['a rule that is no object', { default: 'deny', rules: ['allow'] }, 'rules[0] is not an object'],
  ['no action', { default: 'deny', rules: [{ networks: ['10.0.0.0/8'] }] }, 'rules[0].action is missing'],
  ['no networks', { default: 'deny', rules: [{ ...good, networks: [] }] }, 'rules[0].networks is empty'],
  [
    'networks as text',
    { default: 'deny', rules: [{ ...good, networks: '10.0.0.0/8' }] },
    'rules[0].networks is not a list',
  ],
  [
    'bits after the prefix',
    { default: 'deny', rules: [good, good, { ...good, networks: ['10.0.0.0/8', '10.1.2.3/8'] }] },
    "rules[2].networks[1]: '10.1.2.3/8' has bits set after the first 8; expected an address, or address/length with no bit set after the length. Write 10.0.0.0/8",
  ],
  [
    'a number as network',
    { default: 'deny', rules: [{ ...good, networks: [10] }] },
    "rules[0].networks[0]: '10' is not a network",
  ],
  [
    'an unknown protocol',
    { default: 'deny', rules: [{ ...good, protocols: ['SSH', 'SFTP'] }] },
    'rules[0].protocols[1] is no protocol of SFTPGo; expected SSH, FTP, DAV, HTTP',
  ],
  ['no protocols', { default: 'deny', rules: [{ ...good, protocols: [] }] }, 'rules[0].protocols is empty'],
  [
    'a duration without a unit',
    { default: 'deny', rules: [{ ...good, for: 300 }] },
    'rules[0].for: the duration 300 cannot be read',
  ],
  [
    'such a duration of the list',
    { default: 'deny', for: '5 min', rules: [] },
    'for: the duration "5 min" cannot be read',
  ],
  [
    'such a duration of what comes after it',
    { default: 'deny', staleIfError: 60, rules: [] },
    'staleIfError: the duration 60 cannot be read',
  ],
  [
    'a reason that is no text',
    { default: 'deny', rules: [{ ...good, reason: 7 }] },
    'rules[0].reason is not text',
  ],
  [
    'a rule without conditions',
    { default: 'deny', rules: [{ action: 'deny' }] },
    'rules[0] has no condition',
  ],
  [
    'a list that is not there',
    { default: 'deny', lists: { abuse: { text: '' } }, rules: [{ action: 'deny', lists: ['abus'] }] },
    'rules[0].lists[0] is no name of a list; expected abuse',
  ],
  [
    'a country that is none',
    { ...located, rules: [{ action: 'deny', countries: ['DE', 'UK'] }] },
    'rules[0].countries[1] is no country',
  ],
  [
    'a country without a database',
    { ...located, databases: {}, rules: [{ action: 'deny', countries: ['DE'] }] },
    'rules[0].countries needs a database, and there is no databases.country',
  ],
  [
    'an AS number as text',
    { ...located, rules: [{ action: 'deny', asns: ['AS64500'] }] },
    'rules[0].asns[0] is no AS number',
  ],
  [
    'a country and no word about private addresses',
    { ...located, private: undefined, rules: [good, { action: 'deny', countries: ['DE'] }] },
    'private is missing; expected allow, deny or rules. rules[1] asks for a country',
  ],
  [
    'an AS number and no word about unknown ones',
    { ...located, unknown: undefined, rules: [{ action: 'deny', asns: [64_500] }] },
    'unknown is missing',
  ],
  [
    'a source without a place',
    { default: 'deny', rules: [], lists: { a: { every: '1m' } } },
    'does not say where',
  ],
  [
    'a source with two places',
    { default: 'deny', rules: [], lists: { a: { text: '', url: 'https://lists.example/' } } },
    'lists.a comes from two places',
  ],
  [
    'a list over plain HTTP',
    { default: 'deny', rules: [], lists: { a: { url: 'http://lists.example/' } } },
    'lists.a.url is not what it must be; expected an https address',
  ],
  [
    'a key of KV without its name',
    { default: 'deny', rules: [], lists: { a: { kv: 'LISTS' } } },
    'lists.a.key is missing',
  ],
  [
    'a misspelt key of a source',
    { default: 'deny', rules: [], databases: { asn: { file: 'x', onBrokenLine: 'skip' } } },
    "databases.asn has a key 'onBrokenLine'",
  ],
  [
    'a refresh all the time',
    { default: 'deny', rules: [], lists: { a: { file: 'x', every: '0s' } } },
    'lists.a.every is no time',
  ],
])('%s is refused with its place', (_, list, text) => {
  expect(() => checkRules(list as Rules)).toThrow(text);
});

test('a good list keeps its order; a rule without a reason is named by its place', () => {
  const rules = checkRules({
    default: 'deny',
    rules: [
      { ...good, reason: 'office' },
      { ...good, action: 'deny' },
    ],
  });
  expect(rules.map(({ action, reason }) => [action, reason])).toEqual([
    ['allow', 'rules[0] "office"'],
    ['deny', 'rules[1]'],
  ]);
});
