import type { Mutation } from './mutation.ts';

const tests = ['test/runtimes/foreign.test.ts'];

/** The examples of docs/other-languages.md: whoever copies one copies its checks. */
export const mutations: readonly Mutation[] = [
  {
    file: 'docs/other-languages/function.py',
    text: 'with self.lock:',
    replacement: 'if True:',
    tests,
    why: 'two threads each find the same call new: a replay is accepted',
  },
  {
    file: 'docs/other-languages/function.py',
    text: 'if nonce in self.seen or len(self.seen) >= MAX_SEEN:',
    replacement: 'if nonce in self.seen:',
    tests,
    why: 'the memory of nonces has no bound',
  },
  {
    file: 'docs/other-languages/function.py',
    text: 'while self.seen and next(iter(self.seen.values())) < now:',
    replacement: 'while False:',
    tests,
    why: 'nothing is forgotten, and a full memory refuses every call for ever',
  },
  {
    file: 'docs/other-languages/signed-fetch.ts',
    text: '!seen.has(nonce) && ',
    replacement: '',
    tests,
    why: 'a replay is accepted',
  },
];
