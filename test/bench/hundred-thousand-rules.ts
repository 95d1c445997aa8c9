import { ipfilterRules } from '../../functions/ipfilter/index.ts';

/** A hundred thousand rules, each with a network of its own, before two countries from a database in KV. */
export default ipfilterRules({
  default: 'deny',
  private: 'rules',
  unknown: 'deny',
  databases: { country: { kv: 'GEO', key: 'country.mmdb', every: '1h' } },
  rules: [
    ...Array.from({ length: 100_000 }, (_, n) => ({
      action: n % 3 === 0 ? ('allow' as const) : ('deny' as const),
      networks: [`${11 + (n >> 14)}.${(n >> 6) & 255}.${(n & 63) * 4}.0/24`],
    })),
    { action: 'allow', countries: ['DE', 'AT'] },
  ],
});
