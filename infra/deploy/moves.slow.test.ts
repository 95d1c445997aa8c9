import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../../proto/lock/digest.ts';
import type { Lock } from '../../proto/lock/schema.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { newSigner } from '../../test/support/role-folder.ts';
import { type BuildManifest, writeManifest } from '../build/manifest.ts';
import { keptPath } from '../lock/kept.ts';
import { readLockFile, writeLock } from '../lock/write.ts';
import type { Cloud, Traffic } from './cloud.ts';
import { type DeployContext, deployFunctions } from './flow.ts';
import { resumeFunctions } from './resume.ts';
import { rollbackFunctions } from './rollback.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moves-'));
  await writeFile(at('signer.json'), JSON.stringify((await newSigner()).jwk), { mode: 0o600 });
});
afterEach(async () => await rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const id = 'office@live';
const files = () => ({ lockFile: at('bundles.lock.json'), signerFile: at('signer.json') });
const lock = async () => await readLockFile(files());
const accepted = async () => (await lock())?.functions[id]?.accepts.map(({ version }) => version.at(-1));

/** A build of the function, as `build` leaves it. */
async function build(
  code: string,
  { type = 'ipfilter', handles = ['CheckIP'] }: Partial<Pick<BuildManifest, 'type' | 'handles'>> = {},
): Promise<void> {
  await mkdir(at('out'), { recursive: true });
  await writeFile(at('out/office.worker.mjs'), code);
  const [file, sha256] = ['office.worker.mjs', sha256Hex(code)];
  const artifact = { file, runtime: 'worker' as const, sha256, buildId: sha256, inputs: {} };
  await writeManifest(at('out'), { name: 'office', type, handles, artifacts: [artifact], inputs: {} });
}

/** What the author's configuration says, and deploys with. */
interface Configured {
  readonly worker: string;
  /** The first one goes into the lock. */
  readonly addresses: readonly string[];
}

/**
 * Workers in memory, whose addresses and traffic change in steps, and a host that calls what its lock says. Before and
 * after each step the lock that the host has must fit what gets its calls.
 */
function memoryWorkers() {
  const workers = new Map<string, { codes: string[]; traffic: Traffic[]; addresses: readonly string[] }>();
  const keys = new Map<string, ReturnType<typeof newKey>>();
  const state = { steps: 0, failAt: Number.POSITIVE_INFINITY, host: undefined as Lock | undefined };
  let configured: Configured = { worker: 'a', addresses: ['https://a.example'] };
  const here = () => {
    const { worker } = configured;
    const found = workers.get(worker) ?? { codes: [], traffic: [], addresses: [] };
    workers.set(worker, found);
    return found;
  };
  /** What is wrong for the host now; undefined: nothing. */
  const misfit = () => {
    const entry = state.host?.functions[id];
    if (entry === undefined) return undefined;
    const called = [...workers.values()].find(({ addresses }) => addresses.includes(entry.address));
    if (called === undefined) return `nothing answers at ${entry.address}`;
    const inLock = new Set(entry.accepts.map(({ version }) => version));
    const stranger = called.traffic.find(({ version, percent }) => percent > 0 && !inLock.has(version));
    return (
      stranger && `${stranger.version} gets calls at ${entry.address} and is not in the lock of the host`
    );
  };
  const step = (what: string) => {
    expect(misfit(), `before ${what}`).toBeUndefined();
    state.steps += 1;
    if (state.steps >= state.failAt) throw new Error(`killed before ${what}`);
  };
  const cloud: Cloud = {
    target: 'worker',
    plan: async () => [],
    async publish(fn) {
      step('upload');
      const { codes } = here();
      const { file = '', sha256 = '' } = fn.manifest.artifacts[0] ?? {};
      if (!codes.includes(sha256)) codes.push(sha256);
      step('read back');
      const { worker, addresses } = configured;
      const number = `${worker.charCodeAt(0)}${codes.indexOf(sha256) + 1}`;
      const key = keys.get(worker) ?? newKey();
      keys.set(worker, key);
      return {
        address: addresses[0] ?? '',
        accepted: {
          version: `00000000-0000-4000-8000-${number.padStart(12, '0')}`,
          files: { [file]: sha256 },
          config: { worker },
          inputs: {},
        },
        keys: [publicOf(key)],
      };
    },
    async addAddress() {
      step('the address');
      here().addresses = configured.addresses;
    },
    readBack: async () => undefined,
    keysOf: async (_, locked, { config }) =>
      locked.keys.filter(({ x }) => x === keys.get(String(config['worker']))?.x),
    async shift(_fn, _locked, version) {
      step('the traffic');
      here().traffic = [{ version, percent: 100 }];
      step('the addresses');
      here().addresses = configured.addresses;
    },
    traffic: async () => here().traffic,
  };
  const lines: string[] = [];
  const context: DeployContext & { outDir: string } = {
    functions: [{ name: 'office', stage: 'live', id, entry: at('office.ts'), target: 'worker' }],
    ...files(),
    cloud: () => cloud,
    report: (line) => void lines.push(line),
    outDir: at('out'),
  };
  /** The host takes the lock that is there, and must be served as before. */
  const handOver = async () => {
    state.host = await lock();
    expect(misfit(), 'after the lock was taken').toBeUndefined();
  };
  return {
    workers,
    keys,
    lines,
    state,
    handOver,
    configure(more: Partial<Configured>) {
      configured = { ...configured, ...more };
    },
    deploy: async () => await deployFunctions(context),
    resume: async () => await resumeFunctions(context),
    rollback: async () => await rollbackFunctions(context),
  };
}

type Memory = ReturnType<typeof memoryWorkers>;

async function live(): Promise<Memory> {
  const memory = memoryWorkers();
  await build('one');
  await memory.deploy();
  await memory.handOver();
  return memory;
}

/** Each changes one thing between two deployments; some end without a version that has to wait. */
const changes: [string, (memory: Memory) => Promise<void>, { waits: boolean }][] = [
  ['other code', async () => await build('two'), { waits: true }],
  ['another type', async () => await build('two', { type: 'auth' }), { waits: true }],
  ['other calls', async () => await build('two', { handles: ['CheckIP', 'Reload'] }), { waits: true }],
  [
    'another address, with the old one beside it',
    async ({ configure }) => {
      await build('two');
      configure({ addresses: ['https://new.example', 'https://a.example'] });
    },
    { waits: true },
  ],
  [
    'another address of the same code',
    async ({ configure }) => configure({ addresses: ['https://new.example', 'https://a.example'] }),
    { waits: false },
  ],
  [
    'another Worker',
    async ({ configure }) => {
      await build('two');
      configure({ worker: 'b', addresses: ['https://b.example'] });
    },
    { waits: false },
  ],
];

test.each(changes)(
  '%s: what gets calls is in the lock of the host at every step, also when one is cut short',
  async (_, change, { waits }) => {
    const whole = await live();
    await change(whole);
    const first = whole.state.steps;
    expect((await whole.deploy()).waiting).toEqual(waits ? [id] : []);
    await whole.handOver();
    await whole.resume();
    await whole.handOver();
    const end = (await lock())?.functions[id];
    expect(end?.accepts).toHaveLength(1);
    const { steps } = whole.state;
    expect(steps).toBeGreaterThan(first + 3);

    for (let failAt = first + 1; failAt <= steps; failAt += 1) {
      for (const name of ['bundles.lock.json', 'locks']) await rm(at(name), { recursive: true });
      const memory = await live();
      await change(memory);
      memory.state.failAt = failAt;
      const run = async () => {
        await memory.deploy();
        await memory.handOver();
        await memory.resume();
      };
      await expect(run()).rejects.toThrow('killed before');
      memory.state.failAt = Number.POSITIVE_INFINITY;
      await run();
      await memory.handOver();
      expect((await lock())?.functions[id]).toEqual({ ...end, keys: [expect.anything()] });
    }
  },
);

test('a first deployment in another place is complete with its lock; the old place stays as it is', async () => {
  const { configure, deploy, handOver, workers } = await live();
  const before = structuredClone(workers.get('a'));
  configure({ worker: 'b', addresses: ['https://b.example'] });
  expect(await deploy()).toMatchObject({ waiting: [], functions: [{ state: 'live' }] });
  expect([await accepted(), workers.get('b')?.traffic[0]?.percent]).toEqual([['1'], 100]);
  expect(workers.get('a')).toEqual(before);
  await handOver();
});

test('back in an earlier place, what gets calls there stays accepted: a host may have missed the lock between', async () => {
  const { configure, deploy, resume, handOver, workers } = await live();
  configure({ worker: 'b', addresses: ['https://b.example'] });
  await deploy();
  await build('two');
  configure({ worker: 'a', addresses: ['https://a.example'] });
  expect(await deploy()).toMatchObject({ waiting: [id] });
  expect([await accepted(), workers.get('a')?.traffic[0]?.version.at(-1)]).toEqual([['1', '2'], '1']);
  expect((await lock())?.functions[id]?.keys).toHaveLength(1);
  await handOver();
  await resume();
  await handOver();
});

test('back in an earlier place, a key that was stolen there and taken out of the lock stays out, with its version', async () => {
  const { configure, deploy, handOver, keys, workers } = await live();
  const stolen = (await lock())?.functions[id]?.keys[0]?.x;
  await writeLock(files(), ({ [id]: _, ...others }) => others);
  configure({ worker: 'b', addresses: ['https://b.example'] });
  await deploy();
  await handOver();
  keys.delete('a');
  await build('two');
  configure({ worker: 'a', addresses: ['https://a.example'] });
  expect(await deploy()).toMatchObject({ waiting: [] });
  const entry = (await lock())?.functions[id];
  expect([await accepted(), entry?.keys.map(({ x }) => x)]).toEqual([['2'], [keys.get('a')?.x]]);
  expect(entry?.keys.map(({ x }) => x)).not.toContain(stolen);
  expect(workers.get('a')?.traffic.map(({ version }) => version.at(-1))).toEqual(['2']);
});

test('back in an earlier place, behind a lock that cannot be opened it starts anew: that one may lack the function', async () => {
  const { configure, deploy, handOver, lines } = await live();
  await writeLock(files(), ({ [id]: _, ...others }) => others);
  configure({ worker: 'b', addresses: ['https://b.example'] });
  await deploy();
  await handOver();
  const { signatures } = JSON.parse(await readFile(keptPath(files().lockFile, 1), 'utf8'));
  const path = keptPath(files().lockFile, 2);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), signatures }));
  await build('two');
  configure({ worker: 'a', addresses: ['https://a.example'] });
  expect(await deploy()).toMatchObject({ waiting: [] });
  expect(await accepted()).toEqual(['2']);
  expect(lines.join('\n')).toContain('office@live: starts anew in this place: ');
});

test('what gets calls in another place and was in no lock keeps nothing from its end: nobody accepts it', async () => {
  const { configure, deploy, workers } = await live();
  const traffic = [{ version: '00000000-0000-4000-8000-000000000099', percent: 100 }];
  workers.set('b', { codes: [], addresses: [], traffic });
  configure({ worker: 'b', addresses: ['https://b.example'] });
  expect(await deploy()).toMatchObject({ waiting: [] });
  expect(await accepted()).toEqual(['1']);
});

test('a rollback over another type is one to that type', async () => {
  const { deploy, resume, rollback, handOver } = await live();
  await build('two', { type: 'auth', handles: ['CheckUserAndPass'] });
  await deploy();
  await handOver();
  await resume();
  await handOver();
  await rollback();
  expect((await lock())?.functions[id]).toMatchObject({ type: 'ipfilter', handles: ['CheckIP'] });
  expect(await accepted()).toEqual(['2', '1']);
});
