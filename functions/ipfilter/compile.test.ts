import { expect, test } from 'vitest';
import { parseAddress } from '../../proto/net/address.ts';
import { call } from '../kit/test.ts';
import type { Column } from './compile.ts';
import { createEngine } from './engine.ts';
import { ipfilterRules, type Rules } from './index.ts';

const allow = (...networks: string[]) => ({ action: 'allow', networks }) as const;
const warnings = (...rules: Rules['rules']) => createEngine({ default: 'deny', rules }).warnings;
const never = 'can never match: earlier rules decide for all of its addresses';

test('two halves cover their whole; a family never covers the other', () => {
  expect(warnings(allow('10.0.0.0/25'), allow('10.0.0.128/25'), allow('10.0.0.0/24'))).toEqual([
    `rules[2] ${never}`,
  ]);
  expect(warnings(allow('10.0.0.0/25'), allow('10.0.0.128/26'), allow('10.0.0.0/24'))).toEqual([]);
  expect(warnings(allow('::/0'), allow('0.0.0.0/0'), allow('255.255.255.255'), allow('::'))).toEqual([
    `rules[2] ${never}`,
    `rules[3] ${never}`,
  ]);
  expect(warnings(allow('::/0'), allow('0.0.0.0/0'), { action: 'deny', protocols: ['SSH'] })).toEqual([
    `rules[2] ${never}`,
  ]);
});

test.each<[Column, string]>([
  ['SSH', 'rules[0]'],
  ['HTTP', 'rules[1]'],
  ['other', 'rules[2]'],
  ['', 'rules[0]'],
])('asked about the protocol %j, %s decides', async (protocol, reason) => {
  const plugin = ipfilterRules({
    default: 'deny',
    rules: [
      { action: 'deny', networks: ['10.0.0.0/8'], protocols: ['SSH'] },
      { action: 'allow', networks: ['10.0.0.0/8'], protocols: ['HTTP'] },
      { action: 'allow', networks: ['10.0.0.0/8'] },
    ],
  });
  const said = await call(plugin).checkIP({ ip: '10.1.2.3', protocol: protocol as 'SSH' });
  expect(said.reason).toBe(reason);
});

test('many rules, each with a network of its own, are compiled', async () => {
  const rules = Array.from({ length: 5_000 }, (_, n) => allow(`10.${n >> 8}.${n & 255}.0/28`));
  const engine = createEngine({ default: 'deny', rules });
  expect(engine.warnings).toEqual([]);
  const context = {} as never;
  const ask = async (ip: string) => {
    const address = parseAddress(ip);
    if (address === undefined) throw new Error(`${ip} is no address`);
    const { reason, prefixLength } = await engine.verdict(address, 'SSH', context);
    return [reason, prefixLength];
  };
  expect(await ask('10.3.7.9')).toEqual(['rules[775]', 28]);
  expect(await ask('10.3.7.16')).toEqual(['no rule matches and the default is deny', 28]);
  expect(await ask('11.0.0.1')).toEqual(['no rule matches and the default is deny', 8]);
});
