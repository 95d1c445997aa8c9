import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { PluginError } from '../../../proto/error.ts';

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/**
 * A DNS lookup that yields loopback addresses only: plain http is for functions on this machine, and `localhost`
 * may be whatever a resolver says.
 */
export const loopbackLookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const kept = (addresses ?? []).filter(({ address }) => isLoopback(address));
    const first = kept[0];
    if (error || first === undefined) {
      const refused = new PluginError('UNREACHABLE', {
        happened: `${hostname} is no loopback address`,
        expected: 'plain http only to this machine',
        remedy: 'Use https in the address of the lock.',
        cause: error,
      });
      callback(refused, '', 4);
    } else if (options.all === true) {
      callback(null, kept);
    } else {
      callback(null, first.address, first.family);
    }
  });
};
