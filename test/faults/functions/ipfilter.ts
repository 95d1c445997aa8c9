import { ipfilter } from '../../../functions/kit/index.ts';
import { meaningOf } from './addresses.ts';
import { misbehave } from './misbehave.ts';

/** Says of an address what it stands for. */
export default ipfilter<object>({
  checkIP({ ip, protocol }) {
    const { verdict, word } = meaningOf(ip);
    if (protocol === 'HTTP') misbehave(word);
    return verdict;
  },
});
