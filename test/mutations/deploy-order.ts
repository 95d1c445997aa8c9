import type { Mutation } from './mutation.ts';

const flow = 'infra/deploy/flow.slow.test.ts';
const aws = 'infra/deploy/lambda/aws.test.ts';
const locked = 'infra/deploy/lambda/locked.test.ts';

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
  {
    file: 'infra/deploy/lambda/key.ts',
    text: '  if (found === undefined) {\n    throw new PluginError',
    replacement: '  if (found !== undefined && !found) {\n    throw new PluginError',
    tests: [aws],
    why: 'a new key is placed although the lock has another one: every later run is refused',
  },
  {
    file: 'infra/deploy/lambda/key.ts',
    text: '.includes(config[parameterField] as string)',
    replacement: '.includes(undefined)',
    tests: [aws],
    why: 'the key that running versions take is replaced as if it were of no version',
  },
  {
    file: 'infra/deploy/lambda/key.ts',
    text: 'const own = keys.filter(({ x }) => x === found.x);',
    replacement: 'const own = keys;',
    tests: [aws],
    why: 'a replaced key of a Lambda function never leaves the lock',
  },
  {
    file: 'infra/deploy/worker/key.ts',
    text: 'return own.length === 0 ? keys : own;',
    replacement: 'return keys;',
    tests: ['infra/deploy/worker/key.test.ts'],
    why: 'a replaced key of a Worker never leaves the lock',
  },
  {
    file: 'infra/deploy/worker/publish.ts',
    text: 'fn.locked !== undefined && workerNameOf(fn.locked) === name ? fn.locked : undefined',
    replacement: 'fn.locked',
    tests: ['infra/deploy/worker/publish.slow.test.ts'],
    why: "the lock lists another Worker's key for this one",
  },
  {
    file: 'infra/deploy/resume.ts',
    text: 'accepts: [last], keys }',
    replacement: 'accepts: [last] }',
    tests: [flow],
    why: 'a stolen key stays in the lock after it was replaced',
  },
  {
    file: 'infra/deploy/rollback.ts',
    text: 'if (signsWith.every((key) => entry.keys.some(({ x }) => x === key.x))) return;',
    replacement: 'if (signsWith) return;',
    tests: [flow],
    why: 'a rollback names a version whose answers the host refuses',
  },
  {
    file: 'infra/deploy/lambda/locked.ts',
    text: 'if ((await stackOf(aws, locked.address)) !== stack) return;',
    replacement: 'if (stack) return;',
    tests: [locked],
    why: 'CloudFormation deletes the function that the host calls',
  },
  {
    file: 'infra/deploy/lambda/locked.ts',
    text: "return found === undefined || unqualified(found.FunctionArn ?? '') === locked.address ? locked : undefined;",
    replacement: 'return locked;',
    tests: [locked],
    why: 'the key of another account counts, and the deployment there is refused for ever',
  },
];
