import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../proto/net/address.ts';
import { createEngine } from './engine.ts';
import { createContext } from './fixtures/context.ts';
import { writeMmdb } from './fixtures/mmdb.ts';
import type { Rule } from './rules.ts';

const read = (ip: string) => {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(`${ip} is no address`);
  return address;
};
const conditions = {
  networks: fc.subarray(['8.0.0.0/31', '8.0.0.1', '9.0.0.0/31', '2001:db8::/127', '0.0.0.0/0', '::/0'], {
    minLength: 1,
  }),
  lists: fc.subarray(['abuse', 'office'], { minLength: 1 }),
  countries: fc.subarray(['DE', 'AT'], { minLength: 1 }),
  asns: fc.subarray([1, 2], { minLength: 1 }),
  protocols: fc.subarray(['SSH' as const, 'FTP' as const], { minLength: 1 }),
};
const anyRule: fc.Arbitrary<Rule> = fc
  .record(
    { action: fc.constantFrom('allow', 'deny', 'allow', 'deny', 'continue'), ...conditions },
    { requiredKeys: ['action'] },
  )
  .filter((made) => Object.keys(made).length > 1);

test('of rules of every kind, none that is named ever matches, and a deciding one is never worth a second time', async () => {
  const asked = ['8.0.0.0', '8.0.0.1', '9.0.0.0', '9.0.0.1', '10.0.0.1', '11.0.0.1', '2001:db8::', '::1'].map(
    read,
  );
  const list = {
    default: 'deny',
    lists: { abuse: { text: '8.0.0.1\n9.0.0.1\n' }, office: { text: '9.0.0.0/31\n2001:db8::' } },
    databases: {
      country: {
        bytes: writeMmdb([
          ['8.0.0.0/31', { country_code: 'DE' }],
          ['9.0.0.0/32', { country_code: 'AT' }],
        ]),
      },
      asn: {
        bytes: writeMmdb([
          ['8.0.0.0/32', { asn: 1 }],
          ['9.0.0.0/31', { asn: 2 }],
        ]),
      },
    },
  } as const;
  const what = fc.constantFrom('allow', 'deny', 'rules');
  await fc.assert(
    fc.asyncProperty(fc.array(anyRule, { minLength: 1, maxLength: 5 }), what, what, async (made, ...of) => {
      const again = made.find(({ action }) => action !== 'continue');
      const rules = again === undefined ? made : [...made, again];
      const [unknown, isPrivate] = of;
      const engine = createEngine({ ...list, rules, unknown, private: isPrivate });
      const named = engine.warnings.flatMap((line) => /^rules\[(\d+)\] can never/.exec(line)?.[1] ?? []);
      if (again !== undefined) expect(named).toContain(String(made.length));
      const matching = new Set<string>();
      for (const address of asked) {
        for (const protocol of ['SSH', 'FTP', 'HTTP', '', 'GOPHER']) {
          const { reason = '' } = await engine.verdict(address, protocol as 'SSH', createContext({}));
          for (const [, index = ''] of reason.matchAll(/rules\[(\d+)\]/g)) matching.add(index);
        }
      }
      expect(named.filter((index) => matching.has(index))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
