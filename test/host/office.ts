import { ipfilterRules } from '../../functions/ipfilter/index.ts';

/**
 * The function behind the real-host tests. Beside documentation networks (RFC 5737, RFC 3849) it decides on
 * loopback addresses, because that is where an SFTP client on the same machine comes from.
 */
export default ipfilterRules({
  default: 'deny',
  for: '1m',
  rules: [
    { action: 'allow', networks: ['192.0.2.0/24', '2001:db8:1::/48', '127.0.0.2'] },
    { action: 'allow', networks: ['203.0.113.0/24'], protocols: ['HTTP', 'DAV'] },
    { action: 'deny', networks: ['198.51.100.0/24', '2001:db8:2::/48', '127.0.0.3'], reason: 'not ours' },
  ],
});
