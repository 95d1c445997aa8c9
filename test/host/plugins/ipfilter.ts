import { allow, deny, FunctionError, ipfilter, type Plugin } from '../../../functions/kit/index.ts';
import type { Arrivals } from './arrivals.ts';

/** Denies 198.51.100.0/24; a reload fails once the address 192.0.2.13 was asked about. */
export function ipfilterPlugin(arrivals: Arrivals): Plugin<object> {
  return ipfilter<object>({
    checkIP(request) {
      arrivals.add('CheckIP', request);
      return request.ip.startsWith('198.51.100.') ? deny('not ours') : allow();
    },
    reload() {
      arrivals.add('Reload', {});
      const asked = arrivals.all.some(({ input }) => 'ip' in input && input.ip === '192.0.2.13');
      if (asked) throw new FunctionError('unavailable', 'the list is not there');
    },
  });
}
