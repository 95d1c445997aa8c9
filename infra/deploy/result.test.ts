import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { DeployResult } from './flow.ts';
import type { ProjectFunction } from './project.ts';
import { type LockOptions, lockDefaults, rowOf, summary } from './result.ts';
import { shellWord } from './shell.ts';

const waitingFor = (...ids: string[]): DeployResult => ({
  seq: 2,
  written: true,
  waiting: ids,
  functions: ids.map((id) => ({
    function: id,
    target: 'lambda',
    version: '2',
    sha256: 'ab'.repeat(32),
    evidence: 'platform',
    state: 'waiting',
  })),
});
const lineOf = (text: string, word: string) => text.split('\n').find((line) => line.includes(word)) ?? '';
const resumeLine = (options: LockOptions, ...ids: string[]) =>
  lineOf(summary(waitingFor(...ids), options), '--resume').trim();

test('the line to go on with is short where nothing was said', () => {
  expect(resumeLine(lockDefaults, 'office@live', 'team@live')).toBe(
    'npx sftpgo-plugin-serverless deploy --resume office team',
  );
});

test('it names stage, lock, signer and trust where they were: pasted, it goes on with this deployment and no other', () => {
  const options = {
    stage: 'beta',
    lock: 'locks-prod/prod.lock.json',
    signer: "the team's/key.json",
    trust: 'team.jwks.json',
  };
  expect(resumeLine(options, 'office@beta')).toBe(
    String.raw`npx sftpgo-plugin-serverless deploy --resume office --stage beta --lock locks-prod/prod.lock.json --signer 'the team'\''s/key.json' --trust team.jwks.json`,
  );
});

test('a remark stands in the summary before the line to go on with', () => {
  const text = summary({ ...waitingFor('office@live'), remarks: ['office@live waits'] }, lockDefaults);
  const lines = text.split('\n');
  expect(lines.indexOf('office@live waits')).toBeGreaterThan(0);
  expect(lines.indexOf('office@live waits')).toBeLessThan(lines.indexOf(lineOf(text, '--resume')));
});

test('the lock that is brought to the host is the one that was written', () => {
  const text = summary(waitingFor('office@live'), { ...lockDefaults, lock: 'my locks/prod.json' });
  expect(lineOf(text, 'scp')).toBe("  scp -p 'my locks/prod.json' HOST:/etc/sftpgo/bundles.lock.json.new");
});

test.each([
  ['lambda', 'platform', ''],
  ['worker', 'observed', 'without it claimed, with pin: version-url platform'],
] as const)('a row has its evidence, whichever command it is of: %s is %s', (target, evidence, remark) => {
  const fn: ProjectFunction = {
    name: 'office',
    stage: 'live',
    id: 'office@live',
    entry: 'office.ts',
    target,
  };
  const entry = { accepts: [{ version: '7', files: { a: 'ab'.repeat(32) } }] } as unknown as LockedFunction;
  const row = rowOf(fn, entry, 'live');
  const text = summary({ seq: 1, written: true, waiting: [], functions: [row] }, lockDefaults);
  expect(text.split('\n')[1]).toMatch(new RegExp(`^office@live +${target} +7 +(?:ab)+ +${evidence} +live$`));
  expect(text).toContain(remark);
  expect(text.includes('observed:')).toBe(target === 'worker');
});

test.each(['plain.json', 'two words', "it's", '$(touch x)', '`x`', '!!', '', 'ä;b', '*'])(
  'a shell reads %j as one word, as it was',
  async (text) => {
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `printf %s ${shellWord(text)}`]);
    expect(stdout).toBe(text);
  },
);
