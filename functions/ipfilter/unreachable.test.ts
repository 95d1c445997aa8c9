import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../proto/net/address.ts';
import { contains, formatPrefix, parsePrefix, prefixOf } from '../../proto/net/prefix.ts';
import { applies, columns } from './compile.ts';
import { createEngine } from './engine.ts';
import { writeMmdb } from './fixtures/mmdb.ts';
import { checkRules, type Rule, type Rules } from './rules.ts';

const read = (ip: string) => {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  return address;
};
/** A world of 32 IPv4 and 32 IPv6 addresses: small enough to try them all. */
const everyone = Array.from({ length: 32 }, (_, n) => [`8.0.0.${n}`, `2001:db8::${n.toString(16)}`])
  .flat()
  .map(read);
const network = fc
  .tuple(fc.constantFrom(...everyone), fc.integer({ min: 0, max: 5 }))
  .map(([address, free]) => formatPrefix(prefixOf(address, (address.family === 4 ? 32 : 128) - free)));
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    action: fc.constantFrom('allow', 'deny'),
    networks: fc.array(network, { minLength: 1, maxLength: 4 }),
    protocols: fc.subarray(['SSH' as const, 'FTP' as const], { minLength: 1 }),
  },
  { requiredKeys: ['action', 'networks'] },
);

test('of rules by network and protocol, names exactly those that never decide', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), (rules) => {
      const list: Rules = { default: 'deny', rules };
      const checked = checkRules(list);
      const parsed = rules.map(({ networks = [] }) => networks.map(parsePrefix));
      const deciding = new Set<number>();
      for (const column of columns) {
        for (const address of everyone) {
          deciding.add(
            checked.findIndex(
              (made, at) => applies(made, column) && parsed[at]?.some((own) => contains(own, address)),
            ),
          );
        }
      }
      const silent = [...rules.keys()].filter((index) => !deciding.has(index));
      expect(createEngine(list).warnings).toEqual(
        silent.map(
          (index) => `rules[${index}] can never match: earlier rules decide for all of its addresses`,
        ),
      );
    }),
    { numRuns: 100 },
  );
});

const country = { bytes: writeMmdb([['8.0.0.0/8', { country_code: 'DE' }]]) };
const asn = { bytes: writeMmdb([['8.0.0.0/8', { asn: 64_500 }]]) };
const base = {
  default: 'deny',
  private: 'rules',
  unknown: 'deny',
  lists: { abuse: { text: '192.0.2.0/24' }, none: { text: '# none' } },
  databases: { country, asn },
} as const;

test.each<[string, Partial<Rules> & Pick<Rules, 'rules'>, string[]]>([
  [
    'a country that an earlier rule has',
    {
      rules: [
        { action: 'deny', countries: ['DE', 'AT'] },
        { action: 'allow', countries: ['DE'], networks: ['8.0.0.0/8'] },
      ],
    },
    ['rules[1] can never match: rules[0] decides for every country of it'],
  ],
  [
    'countries that two earlier rules have',
    {
      rules: [
        { action: 'deny', countries: ['DE'] },
        { action: 'deny', countries: ['AT'] },
        { action: 'allow', countries: ['AT', 'DE'] },
      ],
    },
    ['rules[2] can never match: rules[0], rules[1] decide for every country of it'],
  ],
  [
    'a country of which an earlier rule takes one protocol only',
    {
      rules: [
        { action: 'deny', countries: ['DE'], protocols: ['SSH'] },
        { action: 'allow', countries: ['DE'] },
      ],
    },
    [],
  ],
  [
    'a country that an earlier allow has, where unknown addresses are left for a deny',
    {
      rules: [
        { action: 'allow', countries: ['DE', 'AT'] },
        { action: 'deny', countries: ['DE'] },
        { action: 'allow', networks: ['0.0.0.0/0', '::/0'] },
      ],
    },
    [],
  ],
  [
    'the same, after a deny that takes the unknown ones',
    {
      rules: [
        { action: 'allow', countries: ['DE', 'AT'] },
        { action: 'deny', countries: ['FR'] },
        { action: 'deny', countries: ['DE'] },
      ],
    },
    ['rules[2] can never match: rules[0] decides for every country of it'],
  ],
  [
    'the same, where unknown addresses are not denied',
    {
      unknown: 'rules',
      rules: [
        { action: 'allow', countries: ['DE', 'AT'] },
        { action: 'deny', countries: ['DE'] },
      ],
    },
    ['rules[1] can never match: rules[0] decides for every country of it'],
  ],
  [
    'the same conditions, or some of them, once more',
    {
      rules: [
        { action: 'allow', countries: ['DE'], protocols: ['SSH', 'FTP'] },
        { action: 'allow', countries: ['DE'], protocols: ['SSH'] },
        { action: 'allow', countries: ['DE', 'AT'], networks: ['8.0.0.0/8', '9.0.0.0/8'] },
        { action: 'allow', countries: ['AT'], networks: ['9.0.0.0/16', '8.0.0.0/8'] },
        { action: 'deny', lists: ['abuse'], protocols: ['HTTP'] },
        { action: 'deny', lists: ['abuse'], protocols: ['HTTP'], networks: ['8.0.0.0/8'] },
        { action: 'deny', lists: ['abuse'], countries: ['DE'] },
        { action: 'deny', lists: ['abuse'], countries: ['DE'], asns: [64_500] },
      ],
    },
    [
      'rules[1] can never match: rules[0] has the same conditions, or wider ones',
      'rules[3] can never match: rules[2] has the same conditions, or wider ones',
      'rules[5] can never match: rules[4] has the same conditions, or wider ones',
      'rules[7] can never match: rules[6] has the same conditions, or wider ones',
    ],
  ],
  [
    'conditions of which one is narrower',
    {
      rules: [
        { action: 'allow', countries: ['DE'], protocols: ['SSH'] },
        { action: 'allow', countries: ['DE'], protocols: ['SSH', 'FTP'] },
        { action: 'allow', countries: ['AT'], networks: ['8.0.0.0/8'] },
        { action: 'allow', countries: ['AT'], networks: ['8.0.0.0/8', '9.0.0.0/8'] },
        { action: 'deny', lists: ['abuse'], countries: ['FR'] },
        { action: 'deny', lists: ['abuse'], countries: ['FR', 'US'] },
      ],
    },
    [],
  ],
  [
    'the same conditions on an allow and a deny, where the deny sees unknown addresses',
    {
      rules: [
        { action: 'allow', countries: ['DE'], networks: ['8.0.0.0/8'] },
        { action: 'deny', countries: ['DE'], networks: ['8.0.0.0/8'] },
        { action: 'deny', countries: ['DE'], networks: ['8.0.0.0/8'] },
      ],
    },
    ['rules[2] can never match: rules[1] has the same conditions, or wider ones'],
  ],
  [
    // SFTPGo that names no protocol: the allow does not count, the deny does
    'a deny behind an allow for the same protocol',
    {
      rules: [
        { action: 'allow', lists: ['abuse'], protocols: ['SSH'] },
        { action: 'deny', lists: ['abuse'], protocols: ['SSH'] },
      ],
    },
    [],
  ],
  [
    'an AS number and a list',
    {
      rules: [
        { action: 'deny', asns: [64_500] },
        { action: 'deny', lists: ['abuse'] },
        { action: 'allow', asns: [64_500], countries: ['DE'] },
        { action: 'allow', lists: ['abuse'], protocols: ['HTTP'] },
      ],
    },
    [
      'rules[2] can never match: rules[0] decides for every AS number of it',
      'rules[3] can never match: rules[1] decides for every list of it',
    ],
  ],
  [
    'everything after everything',
    {
      rules: [
        { action: 'allow', networks: ['0.0.0.0/0', '::/0'] },
        { action: 'deny', countries: ['DE'] },
      ],
    },
    ['rules[1] can never match: earlier rules decide for all of its addresses'],
  ],
  [
    'private networks that are decided elsewhere',
    { private: 'allow', rules: [{ action: 'deny', networks: ['10.0.0.66', 'fd00::/64'] }] },
    ['rules[0] can never match: its networks are private, and private is allow'],
  ],
  [
    'the country of a private network',
    { rules: [{ action: 'deny', networks: ['10.0.0.0/8'], countries: ['DE'] }] },
    ['rules[0] can never match: its networks are private, and belong to no country and no AS'],
  ],
  [
    'an empty list',
    { rules: [{ action: 'deny', lists: ['none'] }] },
    ['rules[0] can never match: its lists are empty'],
  ],
  [
    'going on without a word',
    { rules: [{ action: 'continue', lists: ['abuse'] }] },
    ['rules[0] changes nothing: a rule that continues has a reason or a for'],
  ],
  [
    'going on before the same networks',
    {
      rules: [
        { action: 'continue', networks: ['8.0.0.0/8'], reason: 'seen' },
        { action: 'deny', networks: ['8.0.0.0/8'] },
      ],
    },
    [],
  ],
])('%s', (_, list, warnings) => {
  expect(createEngine({ ...base, ...list }).warnings).toEqual(warnings);
});

test('a line of a bundled list that was left out is pointed out', () => {
  const lists = { abuse: { text: '192.0.2.0/24\nnonsense\n', onBrokenLine: 'skip' as const } };
  expect(
    createEngine({ default: 'deny', lists, rules: [{ action: 'deny', lists: ['abuse'] }] }).warnings,
  ).toEqual(['list abuse: left out what is no network in line 2']);
});
