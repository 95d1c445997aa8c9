import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockedFunction } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { keptSeqs } from './kept.ts';
import { removeFunction } from './remove.ts';
import { signLock } from './sign.ts';
import { type LockFiles, readKeptLock, readLockFile, writeLock } from './write.ts';

const program = join(import.meta.dirname, '../../test/support/stepped-writer.ts');

let folder: string;
let files: LockFiles;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'writers-'));
  const [signer, second] = [await newSigner(), await newSigner()];
  await writeFile(at('signer.key.json'), JSON.stringify(signer.jwk), { mode: 0o600 });
  await writeFile(at('second.key.json'), JSON.stringify(second.jwk), { mode: 0o600 });
  const keys = [signer, second].map(({ jwk }) => publicOf(jwk));
  await writeFile(at('trust.jwks.json'), JSON.stringify({ keys }));
  files = {
    lockFile: at('bundles.lock.json'),
    signerFile: at('signer.key.json'),
    trustFile: at('trust.jwks.json'),
  };
});
afterEach(async () => await rm(folder, { recursive: true }));

/** A lock with three functions, and nothing of an earlier round. */
async function start(): Promise<void> {
  await rm(at('locks'), { recursive: true, force: true });
  await rm(files.lockFile, { force: true });
  const entry = () => lockedFunction('https://functions.example.com', newKey(), 'a'.repeat(64));
  await writeLock(files, () => ({ 'one@live': entry(), 'two@live': entry(), 'three@live': entry() }));
}

const names = async () => Object.keys((await readLockFile(files))?.functions ?? {});

/** Another process that changes the lock, and whether it has come to a stop before its end. */
async function writer(step: number, ...what: string[]) {
  const child: ChildProcess = fork(program, [String(step), ...what], { cwd: folder, silent: true });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(outcomes[signal ?? String(code)] ?? said));
  });
  const stopped = new Promise<'stopped'>((resolve) => child.once('message', () => resolve('stopped')));
  const isStopped = (await Promise.race([stopped, ended])) === 'stopped';
  return { isStopped, ended, goOn: () => child.send('go on'), kill: () => child.kill('SIGKILL') };
}
const outcomes: Readonly<Record<string, string>> = { 0: 'done', 3: 'INPUT_INVALID', SIGKILL: 'killed' };

const outcomeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'done',
    (error: unknown) => String(Object(error).code),
  );

/** Whoever was killed, what is there can be read: the lock, which is kept as well, and the others that are. */
async function everythingOpens(): Promise<void> {
  const seqs = await keptSeqs(files.lockFile);
  expect(seqs).toContain((await readLockFile(files))?.seq);
  for (const seq of seqs) await readKeptLock(files, seq);
}

/** Runs a round for each step that the other process has. */
async function atEachStep(
  what: readonly string[],
  round: (other: Awaited<ReturnType<typeof writer>>) => Promise<void>,
): Promise<number> {
  for (let step = 1; ; step += 1) {
    await start();
    const other = await writer(step, ...what);
    if (!other.isStopped) {
      expect(await other.ended).toBe('done');
      return step - 1;
    }
    await round(other);
  }
}

const long = 600_000;

test('two commands at once, one inside the other at each of its steps: both are in the lock, or one has to run again', {
  timeout: long,
}, async () => {
  const seen = new Set<string>();
  const steps = await atEachStep(['remove', 'one@live'], async (other) => {
    const mine = await outcomeOf(removeFunction(files, 'two@live'));
    other.goOn();
    const theirs = await other.ended;
    seen.add(`${theirs}, ${mine}`);
    expect([mine, theirs]).toContain('done');
    const left = ['three@live'];
    if (theirs !== 'done') left.unshift('one@live');
    if (mine !== 'done') left.unshift('two@live');
    expect((await names()).sort()).toEqual(left.sort());
    await everythingOpens();
    expect((await readdir(at('locks'))).filter((name) => !/^\d+\.json$/.test(name))).toEqual([]);
    // and who has to run again, does
    if (theirs !== 'done') await removeFunction(files, 'one@live');
    expect(await names()).toEqual(['three@live']);
  });
  expect(steps).toBeGreaterThan(12);
  expect([...seen].sort()).toEqual(['INPUT_INVALID, done', 'done, done']);
});

test('a second signature and a change at once: no change is undone by a signature', {
  timeout: long,
}, async () => {
  await atEachStep(['sign', 'second.key.json'], async (other) => {
    const mine = await outcomeOf(removeFunction(files, 'two@live'));
    other.goOn();
    const theirs = await other.ended;
    expect([mine, ['done', 'INPUT_INVALID']]).toEqual(['done', expect.arrayContaining([theirs])]);
    expect(await names()).toEqual(['one@live', 'three@live']);
    await everythingOpens();
  });
});

test('two signers at once: both have signed, or one has to run again', { timeout: long }, async () => {
  await writeFile(at('third.key.json'), JSON.stringify((await newSigner()).jwk), { mode: 0o600 });
  await atEachStep(['sign', 'second.key.json'], async (other) => {
    const mine = await outcomeOf(signLock({ lockFile: files.lockFile, signerFile: at('third.key.json') }));
    other.goOn();
    const theirs = await other.ended;
    const { signatures } = JSON.parse(await readFile(files.lockFile, 'utf8'));
    expect(signatures).toHaveLength(1 + [mine, theirs].filter((outcome) => outcome === 'done').length);
    expect([mine, theirs]).toContain('done');
    expect(await readFile(at('locks/1.json'), 'utf8')).toBe(await readFile(files.lockFile, 'utf8'));
  });
});

test.each([
  ['remove', 'one@live'],
  ['sign', 'second.key.json'],
])(
  '%s, killed at each of its steps: what is there is whole, and the next command is not held up',
  { timeout: long },
  async (...what) => {
    await atEachStep(what, async (other) => {
      other.kill();
      expect(await other.ended).toBe('killed');
      await everythingOpens();
      const before = await names();
      await removeFunction(files, 'two@live');
      expect(await names()).toEqual(before.filter((name) => name !== 'two@live'));
      const left = (await readdir(at('locks'))).filter((name) => !/^\d+\.json$/.test(name));
      expect(left.filter((name) => !/^\.writing\.[0-9a-f]{12}\.tmp$/.test(name))).toEqual([]);
      if (what[0] === 'sign') await signLock({ ...files, signerFile: at('second.key.json') });
      else if (before.includes('one@live')) await removeFunction(files, 'one@live');
      expect(await names()).toEqual(what[0] === 'sign' ? ['one@live', 'three@live'] : ['three@live']);
    });
  },
);
