import { ipfilterRules } from '../../functions/ipfilter/index.ts';

/** What test/bench/geoip decides, as rules: Germany and the United States come in, nobody else does. */
export default ipfilterRules({
  default: 'deny',
  private: 'deny',
  unknown: 'deny',
  databases: { country: { kv: 'GEO', key: 'country.mmdb', every: '1h' } },
  rules: [{ action: 'allow', countries: ['DE', 'US'] }],
});
