import type { Mutation } from './mutation.ts';

/** Mutations of what gives memory back. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/role/role.ts',
    text: 'retire(previous, this.#options.retireMs ?? defaultRetireMs)',
    replacement: 'retire(previous, 86_400_000)',
    tests: ['adapter/role/replaced.slow.test.ts'],
    why: 'connections and memory of each reading of the files are kept for a day',
  },
  {
    file: 'adapter/role/role.ts',
    text: 'const generation = this.#create(files);',
    replacement: 'const generation = Object.assign(this.#create(files), { previous });',
    tests: ['adapter/role/replaced.slow.test.ts'],
    why: 'a generation holds all that it replaced: 150 KiB for each edit, for ever',
  },
];
