import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { finishPlannedStack } from './unfinished-stack.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stack-'));
  await write('node_modules/osls/package.json', '{"name":"osls","version":"4.3.1","bin":"bin/osls.js"}');
  await write('node_modules/osls/bin/osls.js', '');
});
afterEach(async () => await rm(folder, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** The SDK that osls brings along, on a CloudFormation whose change set is in a state, or that says no. */
async function finish(answer: { Status?: string; error?: string }, stack = 'net-beta'): Promise<string[]> {
  const asked: string[] = [];
  Object.assign(globalThis, { askedOfCloudFormation: asked });
  await write(
    'node_modules/osls/node_modules/@aws-sdk/client-cloudformation/index.js',
    `const answer = ${JSON.stringify(answer)};
     const command = (name) => class { constructor(input) { this.text = name + ' ' + Object.values(input).join(' '); } };
     exports.DescribeChangeSetCommand = command('describe');
     exports.ExecuteChangeSetCommand = command('execute');
     exports.CloudFormationClient = class {
       constructor({ region }) { this.region = region; }
       async send({ text }) {
         globalThis.askedOfCloudFormation.push(this.region + ': ' + text);
         if (answer.error) throw Object.assign(new Error('no'), { name: answer.error });
         return answer;
       }
       destroy() {}
     };
     exports.waitUntilStackCreateComplete = async (_, { StackName }) =>
       globalThis.askedOfCloudFormation.push('wait for ' + StackName);`,
  );
  const planned = { region: 'eu-central-1', stack };
  await finishPlannedStack(planned, { folder, stage: 'beta' }).catch((error: unknown) => {
    throw Object.assign(error as Error, { asked });
  });
  return asked;
}

test('the plan that was left is carried out, and waited for', async () => {
  expect(await finish({ Status: 'CREATE_COMPLETE' })).toEqual([
    'eu-central-1: describe net-beta net-beta-change-set',
    'eu-central-1: execute net-beta net-beta-change-set',
    'wait for net-beta',
  ]);
});

test('a stack with a name of its own', async () => {
  const [first] = await finish({ Status: 'CREATE_COMPLETE' }, 'own');
  expect(first).toBe('eu-central-1: describe own own-change-set');
});

test.each([
  ['still made', { Status: 'CREATE_PENDING' }, 'INPUT_INVALID', 'is CREATE_PENDING'],
  ['failed', { Status: 'FAILED' }, 'INPUT_INVALID', 'is FAILED'],
  ['gone', { error: 'ChangeSetNotFoundException' }, 'INPUT_INVALID', 'is gone'],
  ['not to be seen', { error: 'AccessDenied' }, 'UNREACHABLE', 'AWS forbids it in eu-central-1'],
])('a plan that is %s is not carried out', async (_, answer, code, happened) => {
  const asked = ['eu-central-1: describe net-beta net-beta-change-set'];
  await expect(finish(answer)).rejects.toMatchObject({
    code,
    asked,
    happened: expect.stringContaining(happened),
  });
});

test('what is left then, is one command', async () => {
  await expect(finish({ Status: 'FAILED' })).rejects.toMatchObject({
    remedy: expect.stringContaining('npx osls remove --stage beta'),
  });
});
