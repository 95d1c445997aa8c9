import { allow, ipfilter } from '../../../functions/kit/index.ts';
import { misbehave } from './misbehave.ts';

const words = new Map([
  ['198.51.100.201', 'throw'],
  ['198.51.100.202', 'exit'],
  ['198.51.100.203', 'loop'],
  ['198.51.100.204', 'exhaust'],
]);

/** Allows everybody; of one address the adapter may remember it. */
export default ipfilter<object>({
  checkIP({ ip }) {
    misbehave(words.get(ip) ?? '');
    return ip === '198.51.100.1' ? allow({ for: '5m' }) : allow();
  },
});
