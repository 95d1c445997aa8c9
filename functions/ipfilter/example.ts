import { ipfilterRules } from './index.ts';

/** An office, its guests on the web only, and one address that misbehaved. Networks of RFC 5737 and RFC 3849. */
export default ipfilterRules({
  default: 'deny',
  for: '1m',
  rules: [
    { action: 'deny', networks: ['203.0.113.66', '2001:db8:7:bad::/64'], reason: 'misbehaved' },
    { action: 'allow', networks: ['203.0.113.0/24', '2001:db8:7::/48'] },
    { action: 'allow', networks: ['198.51.100.0/24', '2001:db8:8::/48'], protocols: ['HTTP', 'DAV'] },
  ],
});
