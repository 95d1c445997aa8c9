import type { Mutation } from './mutation.ts';

const reuseTest = 'adapter/invoke/connection-reuse.test.ts';
const httpsTest = 'adapter/targets/https/index.test.ts';
const withdrawnTest = 'adapter/role/withdrawn-key.test.ts';
const slowFilesTest = 'adapter/role/hanging-files.slow.test.ts';

/** What somebody between host and function, or a file system, can do to an adapter that runs. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/invoke/verify.ts',
    text: '    answer.discard?.();\n',
    replacement: '',
    tests: [reuseTest],
    why: 'one answer too many on a connection, and each later call gets the answer of the one before',
  },
  {
    file: 'adapter/targets/https/send.ts',
    text: 'if (unfinished.bytes > unfinished.maxBytes) {',
    replacement: 'if (false) {',
    tests: [httpsTest],
    why: 'large answers to many calls end the process, and SFTPGo lets everybody in',
  },
  {
    file: 'adapter/targets/https/send.ts',
    text: '    unfinished.bytes -= length;\n',
    replacement: '',
    tests: [httpsTest],
    why: 'after enough answers every call is refused as too much',
  },
  {
    file: 'adapter/targets/https/send.ts',
    text: "new PluginError('OVERLOADED'",
    replacement: "new PluginError('UNREACHABLE'",
    tests: [httpsTest],
    why: 'many large answers buy the verdict of onUnavailable',
  },
  {
    file: 'adapter/role/role.ts',
    text: 'stays ? listed.keys : []',
    replacement: 'generation.files.locked.keys',
    tests: [withdrawnTest],
    why: 'a withdrawn key answers the calls under way, up to 20 s later',
  },
  {
    file: 'adapter/role/role.ts',
    text: '    if (stays && !hasLost) return;\n',
    replacement: '    if (generation) return;\n',
    tests: [withdrawnTest],
    why: 'a function that was taken out of the lock serves on',
  },
  {
    file: 'adapter/role/role.ts',
    text: 'stays && !hasLost',
    replacement: 'stays',
    tests: [withdrawnTest],
    why: 'what a withdrawn key said is remembered, and its place refuses every answer when it is back',
  },
  {
    file: 'adapter/role/role.ts',
    text: '      if (!taken) await this.#takeAlone();\n',
    replacement: '',
    tests: [withdrawnTest],
    why: 'a mistake in the configuration keeps a withdrawn key in force',
  },
  {
    file: 'adapter/role/role.ts',
    text: 'listed?.type === this.#options.type',
    replacement: 'listed !== undefined',
    tests: [withdrawnTest],
    why: 'a function that is of another type in the lock serves on',
  },
  {
    file: 'adapter/role/role.ts',
    text: '    this.#accepted = accepted;\n',
    replacement: '',
    tests: [withdrawnTest],
    why: 'without a state folder an older lock brings a withdrawn function back',
  },
  {
    file: 'adapter/role/role.ts',
    text: 'await withinDeadline(call, async () => await this.#loading);',
    replacement: 'await this.#loading;',
    tests: [slowFilesTest],
    why: 'a call waits for files past its deadline',
  },
  {
    file: 'adapter/role/role.ts',
    text: 'await withinDeadline(call, () => this.refresh());',
    replacement: 'await this.refresh();',
    tests: [slowFilesTest],
    why: 'a Reload waits for files past its deadline',
  },
  {
    file: 'adapter/role/role.ts',
    text: '    if (this.#polling) return;\n',
    replacement: '',
    tests: [slowFilesTest],
    why: 'a file system that hangs takes every thread, and no function is reached any more',
  },
  {
    file: 'adapter/config/ca-file.ts',
    text: 'begun === 0 || ',
    replacement: '',
    tests: ['adapter/config/ca-file.test.ts'],
    why: 'an empty CA file replaces a good one and cuts every function off',
  },
  {
    file: 'adapter/config/ca-file.ts',
    text: 'certificates.length < begun || ',
    replacement: '',
    tests: ['adapter/config/ca-file.test.ts'],
    why: 'a CA file that is half written replaces a good one',
  },
  {
    file: 'adapter/config/ca-file.ts',
    text: ' || !certificates.every(isCertificate)',
    replacement: '',
    tests: ['adapter/config/ca-file.test.ts'],
    why: 'a damaged CA file replaces a good one',
  },
  {
    file: 'adapter/policies/shared/cache.ts',
    text: "error instanceof PluginError && error.code === 'DRIFT'",
    replacement: 'false',
    tests: ['adapter/policies/shared/cache.test.ts'],
    why: 'changed code, then a cut line: an old verdict lets somebody in',
  },
  {
    file: 'functions/kit/answer.ts',
    text: "  if (headers.some(([, value]) => /[^ -~]/.test(value))) throw new TypeError('a fact is not printable ASCII');\n",
    replacement: '',
    tests: ['functions/kit/serve.test.ts'],
    why: "a handler's odd words end in an unsigned answer",
  },
];
