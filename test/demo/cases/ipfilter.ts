import type { Case } from '../board.ts';

const check = (name: string, ip: string, protocol: string, expect: Case['expect']): Case => ({
  rpc: 'CheckIP',
  name,
  fields: () => ({ ip, protocol }),
  expect,
});

/** The example rules of functions/ipfilter. */
export const ipfilterCases: readonly Case[] = [
  { rpc: 'Reload', name: 'reload', expect: 'ok' },
  check('IPv4 of the office', '203.0.113.7', 'SSH', 'allowed'),
  check('IPv4 of a stranger', '192.0.2.1', 'SSH', 'denied'),
  check('IPv6 of the office', '2001:db8:7::1', 'FTP', 'allowed'),
  check('IPv6 of a stranger', '2001:db8:9::1', 'FTP', 'denied'),
  check('guest, web only', '198.51.100.9', 'HTTP', 'allowed'),
  check('guest on SSH', '198.51.100.9', 'SSH', 'denied'),
  check('asked again: cache', '203.0.113.7', 'SSH', 'allowed'),
];

/** The call that tampering is tried on. */
export const officeCheck = (name: string, expect: Case['expect']): Case =>
  check(name, '203.0.113.7', 'SSH', expect);
