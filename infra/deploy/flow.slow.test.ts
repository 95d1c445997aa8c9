import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import type { PublicJwk } from '../../proto/keys/jwk.ts';
import { sha256Hex } from '../../proto/lock/digest.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { writeManifest } from '../build/manifest.ts';
import { keptSeqs } from '../lock/kept.ts';
import { signLock } from '../lock/sign.ts';
import { readKeptLock, readLockFile, writeLock } from '../lock/write.ts';
import type { Cloud, Traffic } from './cloud.ts';
import { type DeployContext, deployFunctions, planFunctions } from './flow.ts';
import type { ProjectFunction } from './project.ts';
import { resumeFunctions } from './resume.ts';
import { rollbackFunctions } from './rollback.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flow-'));
  await writeFile(at('signer.json'), JSON.stringify((await newSigner()).jwk), { mode: 0o600 });
});
afterEach(async () => await rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const arn = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
const functionOf = (name: string): ProjectFunction => ({
  name,
  stage: 'live',
  id: `${name}@live`,
  entry: at(`${name}.ts`),
  target: 'lambda',
});

/** A build of a function, as `build` leaves it. */
async function build(name: string, code: string): Promise<void> {
  await mkdir(at('out'), { recursive: true });
  await writeFile(at(`out/${name}.lambda.zip`), code);
  const artifact = {
    file: `${name}.lambda.zip`,
    runtime: 'lambda' as const,
    sha256: sha256Hex(code),
    buildId: sha256Hex(`id of ${code}`),
    inputs: {},
  };
  const manifest = {
    name,
    type: 'ipfilter' as const,
    handles: ['CheckIP'],
    artifacts: [artifact],
    inputs: {},
  };
  await writeManifest(at('out'), manifest);
}

/** A cloud in memory: versions by their code, and steps that can fail. */
function memoryCloud() {
  const keys = new Map<string, ReturnType<typeof newKey>>();
  const versions = new Map<string, string[]>();
  const live = new Map<string, Traffic[]>();
  /** `office 1` to the key that this version has. */
  const signs = new Map<string, PublicJwk>();
  const done: string[] = [];
  const state = { steps: 0, failAt: Number.POSITIVE_INFINITY, region: 'eu-central-1' };
  const step = (what: string) => {
    state.steps += 1;
    if (state.steps >= state.failAt) throw new Error(`killed before ${what}`);
    done.push(what);
  };
  const cloud: Cloud = {
    target: 'lambda',
    async plan(fn) {
      return [`would publish ${fn.name}`];
    },
    async publish(fn) {
      step(`key ${fn.name}`);
      const key = keys.get(fn.name) ?? newKey();
      keys.set(fn.name, key);
      step(`upload ${fn.name}`);
      const codes = versions.get(fn.name) ?? [];
      versions.set(fn.name, codes);
      const { file = '', sha256 = '' } = fn.manifest.artifacts[0] ?? {};
      if (!codes.includes(sha256)) codes.push(sha256);
      step(`read back ${fn.name}`);
      const version = String(codes.indexOf(sha256) + 1);
      signs.set(`${fn.name} ${version}`, signs.get(`${fn.name} ${version}`) ?? publicOf(key));
      const others = (fn.locked?.keys ?? []).filter(({ x }) => x !== key.x);
      return {
        address: arn(fn.name).replace('eu-central-1', state.region),
        accepted: { version, files: { [file]: sha256 }, config: { handler: 'index.handler' }, inputs: {} },
        keys: [...others, publicOf(key)],
      };
    },
    async keysOf(fn, { keys: all }, { version }) {
      return all.filter(({ x }) => x === signs.get(`${fn.name} ${version}`)?.x);
    },
    async readBack(fn, _, { version, files }) {
      if (versions.get(fn.name)?.[Number(version) - 1] === Object.values(files)[0]) return;
      throw new PluginError('DRIFT', { happened: `${version} is gone`, expected: 'it', remedy: 'None.' });
    },
    async shift(fn, _, version, { percent = 100 }) {
      step(`shift ${fn.name} to ${version}`);
      const old = live.get(fn.name)?.[0]?.version;
      const rest = percent === 100 || old === undefined ? [] : [{ version: old, percent: 100 - percent }];
      live.set(fn.name, [...rest, { version, percent }]);
    },
    async traffic(fn) {
      return live.get(fn.name) ?? [];
    },
  };
  return { cloud, live, versions, done, state, keys };
}

function contextOf(cloud: Cloud, names: readonly string[] = ['office']) {
  const lines: string[] = [];
  const context: DeployContext & { outDir: string } = {
    functions: names.map(functionOf),
    lockFile: at('bundles.lock.json'),
    signerFile: at('signer.json'),
    cloud: () => cloud,
    report: (line) => void lines.push(line),
    outDir: at('out'),
  };
  return Object.assign(context, { lines });
}
const lock = async () =>
  await readLockFile({ lockFile: at('bundles.lock.json'), signerFile: at('signer.json') });
const accepted = async (name = 'office') =>
  (await lock())?.functions[`${name}@live`]?.accepts.map(({ version }) => version);

test('a first deployment is complete with its lock: nothing gets calls yet that could be shifted', async () => {
  await build('office', 'one');
  const { cloud, live } = memoryCloud();
  const result = await deployFunctions(contextOf(cloud));
  expect(result).toEqual({
    seq: 1,
    written: true,
    waiting: [],
    functions: [
      {
        function: 'office@live',
        target: 'lambda',
        version: '1',
        sha256: sha256Hex('one'),
        evidence: 'platform',
        state: 'live',
      },
    ],
  });
  expect(live.get('office')).toEqual([{ version: '1', percent: 100 }]);
  expect((await lock())?.functions['office@live']).toMatchObject({
    address: arn('office'),
    handles: ['CheckIP'],
  });
});

test('a second one stops with old and new in the lock, and --resume shifts before the old leaves it', async () => {
  await build('office', 'one');
  const { cloud, live, done } = memoryCloud();
  await deployFunctions(contextOf(cloud));
  await build('office', 'two');
  done.length = 0;
  expect(await deployFunctions(contextOf(cloud))).toMatchObject({ seq: 2, waiting: ['office@live'] });
  expect(done).toEqual(['key office', 'upload office', 'read back office']);
  expect(await accepted()).toEqual(['1', '2']);
  expect(live.get('office')).toEqual([{ version: '1', percent: 100 }]);

  expect(await resumeFunctions(contextOf(cloud))).toMatchObject({
    seq: 3,
    waiting: [],
    functions: [{ version: '2', evidence: 'platform', state: 'live' }],
  });
  expect(await accepted()).toEqual(['2']);
  expect(live.get('office')).toEqual([{ version: '2', percent: 100 }]);
});

test('a third version while one waits: everything that is accepted stays so until --resume', async () => {
  const { cloud } = memoryCloud();
  for (const code of ['one', 'two', 'three']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
  }
  expect(await accepted()).toEqual(['1', '2', '3']);
  await resumeFunctions(contextOf(cloud));
  expect(await accepted()).toEqual(['3']);
});

test('the same again changes nothing and seals nothing', async () => {
  await build('office', 'one');
  const { cloud } = memoryCloud();
  await deployFunctions(contextOf(cloud));
  expect(await deployFunctions(contextOf(cloud))).toMatchObject({ seq: 1, written: false, waiting: [] });
  expect(await resumeFunctions(contextOf(cloud))).toMatchObject({ seq: 1, written: false });
  expect(await keptSeqs(at('bundles.lock.json'))).toEqual([1]);
});

test('--dry-run shows what would be done, and does none of it', async () => {
  await build('office', 'one');
  const { cloud, done } = memoryCloud();
  expect(await planFunctions(contextOf(cloud))).toEqual({
    'office@live': ['not in the lock yet', 'would publish office'],
  });
  expect([done, await lock()]).toEqual([[], undefined]);
});

test('a run that is killed at any step is completed by the next one', async () => {
  const names = ['office', 'team'];
  const script = async (cloud: Cloud) => {
    await deployFunctions(contextOf(cloud, names));
    for (const name of names) await build(name, `two of ${name}`);
    await deployFunctions(contextOf(cloud, names));
    await resumeFunctions(contextOf(cloud, names));
  };
  const start = async () => {
    for (const name of ['bundles.lock.json', 'locks', 'out'])
      await rm(at(name), { recursive: true, force: true });
    for (const name of names) await build(name, `one of ${name}`);
    return memoryCloud();
  };
  const whole = await start();
  await script(whole.cloud);
  expect(whole.state.steps).toBeGreaterThan(15);
  for (let failAt = 1; failAt <= whole.state.steps; failAt += 1) {
    const { cloud, live, state } = await start();
    state.failAt = failAt;
    await expect(script(cloud)).rejects.toThrow('killed before');
    state.failAt = Number.POSITIVE_INFINITY;
    for (const name of names) await build(name, `two of ${name}`);
    await deployFunctions(contextOf(cloud, names));
    await resumeFunctions(contextOf(cloud, names));
    for (const name of names) {
      const [version] = (await accepted(name)) ?? [];
      expect(live.get(name)).toEqual([{ version, percent: 100 }]);
      expect(
        (await lock())?.functions[`${name}@live`]?.accepts.map(({ files }) => Object.values(files)),
      ).toEqual([[sha256Hex(`two of ${name}`)]]);
    }
  }
});

test('a bundle that changed since the build is not published', async () => {
  await build('office', 'one');
  await writeFile(at('out/office.lambda.zip'), 'onf');
  const { cloud, done } = memoryCloud();
  await expect(deployFunctions(contextOf(cloud))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  expect(done).toEqual([]);
});

test('a lock that cannot be opened stops it before anything is published', async () => {
  await build('office', 'one');
  const { cloud, done } = memoryCloud();
  await deployFunctions(contextOf(cloud));
  const text = await readFile(at('bundles.lock.json'), 'utf8');
  await writeFile(at('bundles.lock.json'), text.slice(0, -40));
  done.length = 0;
  await expect(deployFunctions(contextOf(cloud))).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  expect(done).toEqual([]);
});

test('a function that somebody else deployed meanwhile is not overwritten; other functions may change', async () => {
  await build('office', 'one');
  const { cloud } = memoryCloud();
  await deployFunctions(contextOf(cloud));
  await build('office', 'two');
  const files = { lockFile: at('bundles.lock.json'), signerFile: at('signer.json') };
  const meanwhile = (id: string) => ({
    ...cloud,
    publish: async (...args: Parameters<Cloud['publish']>) => {
      await writeLock(files, (functions) => ({
        ...functions,
        [id]: {
          ...(functions['office@live'] as LockedFunction),
          address: arn('other'),
          keys: [publicOf(newKey())],
        },
      }));
      return await cloud.publish(...args);
    },
  });
  await expect(deployFunctions(contextOf(meanwhile('office@live')))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    happened: expect.stringContaining('another command changed office@live'),
  });
  await rm(at('bundles.lock.json'));
  await deployFunctions(contextOf(cloud));
  await build('office', 'three');
  await deployFunctions(contextOf(meanwhile('other@live')));
  expect(Object.keys((await lock())?.functions ?? {})).toEqual(['office@live', 'other@live']);
});

test('a function that moved to another region starts anew there: old versions have no meaning at a new address', async () => {
  await build('office', 'one');
  const { cloud, state } = memoryCloud();
  await deployFunctions(contextOf(cloud));
  await build('office', 'two');
  state.region = 'eu-west-1';
  expect(await deployFunctions(contextOf(cloud))).toMatchObject({ waiting: [] });
  expect(await accepted()).toEqual(['2']);
});

test('--resume with a share of the calls leaves the lock as it is', async () => {
  const { cloud, live } = memoryCloud();
  for (const code of ['one', 'two']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
  }
  const result = await resumeFunctions(Object.assign(contextOf(cloud), { percent: 10 }));
  expect(result).toMatchObject({ seq: 2, written: false, waiting: ['office@live'] });
  expect(live.get('office')).toEqual([
    { version: '1', percent: 90 },
    { version: '2', percent: 10 },
  ]);
});

test('the old stays in the lock when the calls did not move', async () => {
  const { cloud } = memoryCloud();
  for (const code of ['one', 'two']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
  }
  const stuck = { ...cloud, shift: async () => undefined };
  await expect(resumeFunctions(contextOf(stuck))).rejects.toMatchObject({ code: 'DRIFT' });
  expect(await accepted()).toEqual(['1', '2']);
});

test('--resume before any deployment says so', async () => {
  const { cloud } = memoryCloud();
  await expect(resumeFunctions(contextOf(cloud))).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await build('office', 'one');
  await deployFunctions(contextOf(cloud));
  await expect(resumeFunctions(contextOf(cloud, ['team']))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

test('a key that was replaced is in the lock as long as a version that signs with it', async () => {
  await build('office', 'one');
  const { cloud, keys } = memoryCloud();
  const locked = async () => (await lock())?.functions['office@live']?.keys.map(({ x }) => x);
  await deployFunctions(contextOf(cloud));
  const [before, after] = [keys.get('office')?.x, newKey()];
  keys.set('office', after);
  await build('office', 'two');
  await deployFunctions(contextOf(cloud));
  expect(await locked()).toEqual([before, after.x]);
  await resumeFunctions(Object.assign(contextOf(cloud), { percent: 10 }));
  expect(await locked()).toEqual([before, after.x]);
  await resumeFunctions(contextOf(cloud));
  expect([await accepted(), await locked()]).toEqual([['2'], [after.x]]);

  // and a rollback does not bring it back: it may be replaced for being stolen
  await expect(rollbackFunctions(contextOf(cloud))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    happened: expect.stringContaining('version 1 of seq 1 signs with a key that has left the lock'),
  });
  expect([await accepted(), await locked()]).toEqual([['2'], [after.x]]);
});

test('a key too many in the lock leaves it with --resume, also when nothing waits', async () => {
  await build('office', 'one');
  const { cloud } = memoryCloud();
  await deployFunctions(contextOf(cloud));
  const files = { lockFile: at('bundles.lock.json'), signerFile: at('signer.json') };
  const stolen = publicOf(newKey());
  await writeLock(files, ({ 'office@live': entry, ...others }) => ({
    ...others,
    ...(entry === undefined ? {} : { 'office@live': { ...entry, keys: [stolen, ...entry.keys] } }),
  }));
  expect(await resumeFunctions(contextOf(cloud))).toMatchObject({ seq: 3, written: true });
  expect((await lock())?.functions['office@live']?.keys).not.toContainEqual(stolen);
});

async function threeDeployments() {
  const memory = memoryCloud();
  for (const code of ['one', 'two', 'three']) {
    await build('office', code);
    await deployFunctions(contextOf(memory.cloud));
    await resumeFunctions(contextOf(memory.cloud));
  }
  return memory;
}

test('rollback: a lock with a higher seq, in which the version before comes last', async () => {
  const { cloud, live } = await threeDeployments();
  const { seq: before = 0 } = (await lock()) ?? {};
  expect(await rollbackFunctions(contextOf(cloud))).toMatchObject({
    seq: before + 1,
    waiting: ['office@live'],
    functions: [{ version: '2', evidence: 'platform' }],
  });
  expect(await accepted()).toEqual(['3', '2']);
  await resumeFunctions(contextOf(cloud));
  expect([await accepted(), live.get('office')]).toEqual([['2'], [{ version: '2', percent: 100 }]]);
});

test('rollback --to a seq takes the version that came last in that lock', async () => {
  const { cloud } = await threeDeployments();
  await rollbackFunctions(Object.assign(contextOf(cloud), { to: 1 }));
  expect(await accepted()).toEqual(['3', '1']);
  const again = await rollbackFunctions(Object.assign(contextOf(cloud), { to: 1 }));
  expect(again).toMatchObject({ written: false, waiting: ['office@live'] });
});

test('rollback once more, because it was interrupted: it goes no further back, and not forward again', async () => {
  const { cloud } = await threeDeployments();
  await rollbackFunctions(contextOf(cloud));
  const context = contextOf(cloud);
  const again = await rollbackFunctions(context);
  expect(again).toMatchObject({ written: false, waiting: ['office@live'], functions: [{ version: '2' }] });
  expect(context.lines).toContain('office@live: goes back to version 2 already; --to goes elsewhere');
  expect(await accepted()).toEqual(['3', '2']);
  await resumeFunctions(contextOf(cloud));
  await rollbackFunctions(Object.assign(contextOf(cloud), { to: 1 }));
  expect(await accepted()).toEqual(['2', '1']);
});

test('rollback while older code that was deployed again waits: it stays so, and the result says it and the way elsewhere', async () => {
  const { cloud } = memoryCloud();
  for (const code of ['one', 'two']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
    await resumeFunctions(contextOf(cloud));
  }
  await build('office', 'one');
  await deployFunctions(contextOf(cloud));
  expect(await accepted()).toEqual(['2', '1']);
  expect(await rollbackFunctions(contextOf(cloud))).toMatchObject({
    written: false,
    waiting: ['office@live'],
    remarks: [
      'office@live waits for version 1 already, an older one than 2: deploy --resume completes that; rollback --to SEQ goes elsewhere',
    ],
  });
});

/** As docs/lock.md has it: the lock that is there is sealed anew, those before it are not. */
async function replaceSigner(): Promise<void> {
  await writeFile(at('signer.json'), JSON.stringify((await newSigner()).jwk), { mode: 0o600 });
  await signLock({ lockFile: at('bundles.lock.json'), signerFile: at('signer.json') }, { only: true });
}

test('rollback while one waits needs no lock from before a change of the signer, also when it is run again', async () => {
  const { cloud } = memoryCloud();
  for (const code of ['one', 'two']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
    await resumeFunctions(contextOf(cloud));
  }
  await replaceSigner();
  for (const code of ['three', 'four']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
    if (code === 'three') await resumeFunctions(contextOf(cloud));
  }
  expect(await accepted()).toEqual(['3', '4']);
  const context = contextOf(cloud);
  await rollbackFunctions(context);
  expect(await accepted()).toEqual(['4', '3']);
  expect(context.lines.join('\n')).toContain('locks/2.json');
  expect(await rollbackFunctions(contextOf(cloud))).toMatchObject({
    written: false,
    remarks: [expect.anything()],
  });
});

test('rollback of what was deployed and waits for the host goes back to what has the calls, each time', async () => {
  const { cloud } = memoryCloud();
  for (const code of ['one', 'two']) {
    await build('office', code);
    await deployFunctions(contextOf(cloud));
  }
  for (const _ of ['the first time', 'deployed once more']) {
    expect(await accepted()).toEqual(['1', '2']);
    await rollbackFunctions(contextOf(cloud));
    expect(await accepted()).toEqual(['2', '1']);
    await resumeFunctions(contextOf(cloud));
    await deployFunctions(contextOf(cloud));
  }
});

test.each(['', '{"payload": "eyJ'])(
  'rollback passes over what was cut off while it was kept (%o), and says so',
  async (cut) => {
    const { cloud } = await threeDeployments();
    const last = Math.max(...(await keptSeqs(at('bundles.lock.json'))));
    await writeFile(at(`locks/${last - 1}.json`), cut);
    await writeFile(at('locks/99.json'), cut);
    const context = contextOf(cloud);
    expect(await rollbackFunctions(context)).toMatchObject({
      seq: 100,
      waiting: ['office@live'],
      functions: [{ version: '2' }],
    });
    expect(context.lines).toContain(
      `office@live: locks/${last - 1}.json is no sealed lock, cut off perhaps: passed over`,
    );
    await expect(rollbackFunctions(Object.assign(context, { to: last - 1 }))).rejects.toMatchObject({
      code: 'LOCK_INVALID',
      happened: expect.stringContaining(`${last - 1}.json`),
      remedy: expect.stringContaining('name another lock with --to'),
    });
  },
);

test('rollback does not pass over a lock of somebody who is not trusted: without it, it might go too far back', async () => {
  const { cloud } = await threeDeployments();
  const last = Math.max(...(await keptSeqs(at('bundles.lock.json'))));
  const { signatures } = JSON.parse(await readFile(at('locks/1.json'), 'utf8'));
  const kept = JSON.parse(await readFile(at(`locks/${last - 2}.json`), 'utf8'));
  await writeFile(at(`locks/${last - 2}.json`), JSON.stringify({ ...kept, signatures }));
  await expect(rollbackFunctions(contextOf(cloud))).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    remedy: expect.stringContaining('--trust'),
  });
});

test('rollback to what is gone, not kept, or not sealed by somebody trusted is refused', async () => {
  const { cloud, versions } = await threeDeployments();
  const rollback = async (to: number) => await rollbackFunctions(Object.assign(contextOf(cloud), { to }));
  await expect(rollback(99)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  const kept = await readFile(at('locks/1.json'), 'utf8');
  await writeFile(
    at('locks/1.json'),
    kept.replace(/"payload": ?"../, (text) => `${text.slice(0, -2)}fy`),
  );
  await expect(rollback(1)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  await writeFile(at('locks/1.json'), kept);
  versions.set('office', []);
  await expect(rollback(1)).rejects.toMatchObject({ code: 'DRIFT' });
  expect(
    (await readKeptLock({ lockFile: at('bundles.lock.json'), signerFile: at('signer.json') }, 1)).seq,
  ).toBe(1);
  expect(await accepted()).toEqual(['3']);
});
