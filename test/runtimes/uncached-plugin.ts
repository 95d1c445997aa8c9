import { allow, ipfilter } from '../../functions/kit/index.ts';

/** Says yes, and that nobody may remember it: every call of a test reaches the function. */
export default ipfilter({ checkIP: () => allow() });
