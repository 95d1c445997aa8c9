import type { Mutation } from './mutation.ts';

/** One defect for each check that keeps deploying commands from doing nothing, or the wrong thing first. */
export const mutations: readonly Mutation[] = [
  {
    file: 'infra/deploy/project.ts',
    text: 'if (selected.length > 0) return selected;',
    replacement: 'if (selected.length >= 0) return selected;',
    tests: ['infra/deploy/project.test.ts'],
    why: 'a command about no function seals a lock and says that all is done',
  },
];
