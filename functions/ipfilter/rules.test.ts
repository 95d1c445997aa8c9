import { expect, test } from 'vitest';
import { checkRules, type Rules } from './rules.ts';

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
    'a reason that is no text',
    { default: 'deny', rules: [{ ...good, reason: 7 }] },
    'rules[0].reason is not text',
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
