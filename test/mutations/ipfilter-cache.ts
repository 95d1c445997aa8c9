import type { Mutation } from './mutation.ts';

const policies = 'adapter/policies/ipfilter/index.test.ts';

/** What a verdict must not decide, and what nobody may buy by a flood. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/policies/ipfilter/verdict-cache.ts',
    text: '!contains(prefix, single(question)) || ',
    replacement: '',
    tests: [policies],
    why: "a verdict about another address is this one's",
  },
  {
    file: 'adapter/policies/ipfilter/verdict-cache.ts',
    text: ' || (named & question.protocol) === 0',
    replacement: '',
    tests: [policies],
    why: "a verdict about another protocol is this one's",
  },
];
