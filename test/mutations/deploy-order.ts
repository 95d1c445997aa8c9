import type { Mutation } from './mutation.ts';

const flow = 'infra/deploy/flow.slow.test.ts';
const aws = 'infra/deploy/lambda/aws.test.ts';
const moves = 'infra/deploy/moves.slow.test.ts';
const workerMove = 'infra/deploy/worker/move.test.ts';
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
    text: 'workerNameOf(fn.locked) === name ? fn.locked : undefined',
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
    file: 'infra/deploy/place.ts',
    text: 'workerNameOf(entry) ?? entry.address',
    replacement: 'entry.address',
    tests: [moves],
    why: 'with another address all calls move to a version that the host does not accept yet',
  },
  {
    file: 'infra/deploy/flow.ts',
    text: 'if (isSamePlace(fn.locked, entry)) await',
    replacement: 'if (!entry) await',
    tests: [moves],
    why: 'the host takes a lock with an address at which nothing answers yet',
  },
  {
    file: 'infra/deploy/entry.ts',
    text: 'return { keys: old.keys, accepts: old',
    replacement: 'if (old) break;\n    return { keys: old.keys, accepts: old',
    tests: [moves],
    why: 'back in an earlier place, calls move away from what a host there accepts',
  },
  {
    file: 'infra/deploy/rollback.ts',
    text: 'type: old.type, ',
    replacement: '',
    tests: [moves],
    why: 'a rollback locks the older code as what it is not',
  },
  {
    file: 'infra/deploy/worker/move.ts',
    text: 'if (routed.includes(before)) return;',
    replacement: 'if (before) return;',
    tests: [workerMove],
    why: 'the address that the host calls is taken away before it has another one',
  },
  {
    file: 'infra/deploy/worker/move.ts',
    text: '!locked.accepts.every((accepted) => answersAt(accepted, address, routed))',
    replacement: '!locked',
    tests: [workerMove],
    why: 'running versions refuse every call to the address in the new lock',
  },
  {
    file: 'infra/deploy/worker/move.ts',
    text: 'if (![address, ...routed].includes(before)) return;',
    replacement: 'if (before) return;',
    tests: [workerMove],
    why: 'a domain goes to another Worker, whose version no host accepts yet',
  },
  {
    file: 'infra/deploy/worker/move.ts',
    text: 'if (worker === name && addresses.includes(locked.address)) return;',
    replacement: 'if (worker === name) return;',
    tests: [workerMove],
    why: '--resume with a changed configuration takes the address of the lock away',
  },
  {
    file: 'infra/deploy/worker/shift.ts',
    text: '  await checkLocked(session, fn.id, locked);\n',
    replacement: '',
    tests: [`infra/deploy/worker/shift.test.ts`],
    why: '--resume gives the calls of another Worker, or another address, to a function',
  },
  {
    file: 'infra/deploy/worker/owner.ts',
    text: "if (own !== id) return typeof own === 'string' ? own : 'another program';",
    replacement: "if (own === 'never') return own;",
    tests: [workerMove],
    why: 'a first deployment takes all calls of another program or function',
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
