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
  {
    file: 'infra/deploy/result.ts',
    text: '[...names, ...changed].map(shellWord)',
    replacement: 'names.map(shellWord)',
    tests: ['infra/deploy/result.test.ts'],
    why: 'the printed line, pasted, shifts the calls of another stage by another lock',
  },
  {
    file: 'infra/deploy/shell.ts',
    text: ".replaceAll(\"'\", String.raw`'\\''`)",
    replacement: '',
    tests: ['infra/deploy/result.test.ts'],
    why: 'the name of a file becomes a command in the shell of who pastes the printed line',
  },
  {
    file: 'infra/deploy/lambda/own-keys.ts',
    text: "if (variables['PLUGIN_KEY_PARAMETER'] !== planned.keyParameter) continue;",
    replacement: 'if (variables) continue;',
    tests: ['infra/deploy/lambda/template.test.ts'],
    why: 'two functions with one key are deployed, and the seal refuses the lock after it',
  },
];
