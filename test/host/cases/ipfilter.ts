import type { HostKind } from '../build.ts';
import { isSince, type RpcCase } from './case.ts';

/** The two RPCs of ipfilter; the first SDK names no protocol. */
export function ipfilterCases(kind: HostKind): readonly RpcCase[] {
  const names = isSince(kind, 'v013');
  const args = (ip: string) => (names ? [ip, 'DAV'] : [ip]);
  return [
    {
      rpc: 'Reload',
      method: 'Reload',
      accepted: [{ args: [], arrives: {} }],
      refused: [
        { method: 'CheckIP', args: args('192.0.2.13') },
        { args: [], code: 'Unavailable' },
      ],
    },
    {
      rpc: 'CheckIP',
      method: 'CheckIP',
      accepted: [
        {
          args: args('2001:db8:1:0:0:0:0:7'),
          arrives: { ip: '2001:db8:1::7', protocol: names ? 'DAV' : '' },
        },
      ],
      refused: [{ args: args('198.51.100.7'), code: 'PermissionDenied' }],
    },
  ];
}
