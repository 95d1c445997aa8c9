import type { Mutation } from './mutation.ts';

const historyTest = 'adapter/config/lock-history.test.ts';
const cacheTest = 'adapter/policies/shared/cache.test.ts';

/** What bad answers and two processes of one role must not do to the next call. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/invoke/encode.ts',
    text: 'body.byteLength > maxRequestBytes',
    replacement: 'body.byteLength > 4 * maxRequestBytes',
    tests: ['adapter/invoke/encode.test.ts'],
    why: 'a large user looks like an attack: an unsigned answer, and an ERROR line that names a proxy',
  },
  {
    file: 'adapter/policies/shared/cache.ts',
    text: '!joins || !late || signal.aborted || reserveOf(key) !== undefined',
    replacement: 'error !== undefined',
    tests: [cacheTest],
    why: 'a connection is refused because another one had waited for its deadline already',
  },
  {
    file: 'adapter/policies/shared/cache.ts',
    text: ' || reserveOf(key) !== undefined) throw',
    replacement: ') throw',
    tests: [cacheTest],
    why: 'a function that hangs is asked twice where memory could have answered',
  },
  {
    file: 'adapter/config/lock-history.ts',
    text: 'if (accepted.seq > seq || ',
    replacement: 'if (',
    tests: [historyTest],
    why: 'a process that read the lock before it was replaced makes the old one acceptable again',
  },
  {
    file: 'adapter/config/lock-history.ts',
    text: "{ flag: 'wx', mode: 0o600 }",
    replacement: "{ flag: 'w', mode: 0o600 }",
    tests: [historyTest],
    why: 'two processes write the seq at once, and the lower one stays',
  },
  {
    file: 'adapter/config/lock-history.ts',
    text: ' > leftBehindMs',
    replacement: ' > Number.POSITIVE_INFINITY',
    tests: [historyTest],
    why: 'a process that was killed keeps every later one from starting',
  },
];
