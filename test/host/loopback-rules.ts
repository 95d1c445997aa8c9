import { ipfilterRules } from '../../functions/ipfilter/index.ts';

/** Rules that tell loopback addresses and protocols apart; the list can be changed while SFTPGo runs. */
export default ipfilterRules({
  default: 'deny',
  lists: { banned: { kv: 'LISTS', key: 'banned.txt', every: '1h' } },
  rules: [
    { action: 'deny', lists: ['banned'], reason: 'banned' },
    { action: 'allow', networks: ['127.0.0.0/28'] },
    { action: 'allow', networks: ['127.0.0.16/28'], protocols: ['SSH'] },
    { action: 'allow', networks: ['127.0.0.32/28'], protocols: ['DAV'] },
  ],
});
