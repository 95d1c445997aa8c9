import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findWrangler, quiet } from '../../infra/deploy/worker/wrangler.ts';
import { readLockFile } from '../../infra/lock/write.ts';
import { prepareWorkerProject, type WorkerProject } from './worker-project.ts';

let project: WorkerProject;
beforeAll(async () => {
  project = await prepareWorkerProject();
  // without a variable that says where it is
  await project.configure({ vars: undefined });
});
afterAll(async () => await project.close());

const at = (name: string) => join(project.folder, name);
const worker = (name = 'office') => {
  const found = project.cloudflare.workers.get(name);
  if (found === undefined) throw new Error(`there is no Worker ${name}`);
  return found;
};
const lockNow = async () =>
  await readLockFile({ lockFile: at('bundles.lock.json'), signerFile: at('lock-signer.key.json') });
const entry = async () => {
  const found = (await lockNow())?.functions['office@live'];
  if (found === undefined) throw new Error('the lock does not have it');
  return found;
};
const accepted = async () => (await entry()).accepts.map(({ version }) => version);
const live = (name?: string) =>
  worker(name).deployments[0]?.versions.map((one) => [one.version_id, one.percentage]);
/** Where a Worker answers, as Cloudflare has it. */
const addresses = (name = 'office') => [
  ...worker(name).domains.map((host) => `https://${host}`),
  ...(worker(name).subdomain.enabled ? [`https://${name}.acme.workers.dev`] : []),
];

async function deploy(...args: string[]) {
  const { code, stdout, stderr } = await project.run(['deploy', '--json', ...args]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Fails, says so, and neither Cloudflare nor the lock is what it was not before. */
async function refused(said: string, ...args: string[]) {
  const writes = () => project.cloudflare.requests.filter((line) => !line.startsWith('GET '));
  const before = [await lockNow(), writes().length];
  const { code, stderr } = await project.run(['deploy', ...args]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(said) });
  expect([await lockNow(), writes().length]).toEqual(before);
}

const [workersDev, domain] = ['https://office.acme.workers.dev', 'https://office.example.com'];
const routes = [{ pattern: 'office.example.com', custom_domain: true }];

describe('another address of the same Worker', () => {
  test('in the beginning it is under workers.dev', async () => {
    await deploy();
    expect([(await entry()).address, addresses()]).toEqual([workersDev, [workersDev]]);
  });

  test('an address that would take away the one that the host calls is refused, with nothing changed', async () => {
    await project.build('new');
    await project.configure({ routes, workers_dev: false });
    await refused(`would not answer any more at ${workersDev}`);
    await refused(`would not answer any more at ${workersDev}`, '--dry-run');
    await refused(`would not answer any more at ${workersDev}`, '--resume');
  });

  test('both answer, old and new version are accepted, and no call has moved, when the lock is there to be brought to the host', async () => {
    const [old] = await accepted();
    await project.configure({ routes, workers_dev: true });
    const plan = await project.run(['deploy', '--dry-run']);
    expect(plan.stdout).toContain(`let ${domain} lead to it, beside ${workersDev}`);
    expect(addresses()).toEqual([workersDev]);
    expect(await deploy()).toMatchObject({ waiting: ['office@live'] });
    expect([(await entry()).address, (await accepted())[0], (await accepted()).length]).toEqual([
      domain,
      old,
      2,
    ]);
    expect([addresses(), live()]).toEqual([[domain, workersDev], [[old, 100]]]);
  });

  test('--resume moves the calls, and takes the old address away once the configuration does not have it', async () => {
    const [, next] = await accepted();
    await deploy('--resume');
    expect([await accepted(), live(), addresses()]).toEqual([[next], [[next, 100]], [domain, workersDev]]);
    await project.configure({ workers_dev: false });
    expect(await deploy('--resume')).toMatchObject({ written: false });
    expect([live(), addresses()]).toEqual([[[next, 100]], [domain]]);
  });

  test('a proxy in front, whose address running versions do not know, is refused', async () => {
    await project.configure({ vars: { PLUGIN_URL: 'https://proxy.example.com' } });
    await refused('do not answer calls to https://proxy.example.com');
    await project.configure({ vars: undefined });
  });
});

describe('another Worker', () => {
  test('does not take the domain over', async () => {
    await project.configure({ name: 'office-2' });
    await refused(`Worker office-2 would take over ${domain}`);
    await refused('in the lock office@live is Worker office', '--resume');
  });

  test('with an address of its own starts anew beside the old one, under a key of its own', async () => {
    const [before, old] = [live(), await entry()];
    await project.configure({ routes: undefined, workers_dev: true });
    expect(await deploy()).toMatchObject({ waiting: [], functions: [{ state: 'live' }] });
    const { address, accepts, keys } = await entry();
    expect([address, accepts.length, keys.length]).toEqual(['https://office-2.acme.workers.dev', 1, 1]);
    expect(keys).not.toEqual(old.keys);
    expect(live('office-2')).toEqual([[accepts[0]?.version, 100]]);
    // a host without the lock goes on as before
    expect([live(), addresses()]).toEqual([before, [domain]]);
  });

  test('back in the first one, what gets calls there stays accepted until they have moved', async () => {
    const [[called = ''] = []] = live() ?? [];
    await project.build('back again');
    await project.configure({ name: 'office', routes });
    expect(await deploy()).toMatchObject({ waiting: ['office@live'] });
    const { accepts, keys } = await entry();
    expect([accepts.length, accepts[0]?.version, keys.length]).toEqual([2, called, 2]);
    expect(live()).toEqual([[called, 100]]);
    await deploy('--resume');
    expect([(await entry()).keys.length, live()]).toEqual([1, [[accepts[1]?.version, 100]]]);
  });

  test('that is something else is not taken over', async () => {
    const found = worker().version((await accepted())[0] ?? '');
    const other = worker('office-2');
    const bindings = found.bindings.filter(({ name }) => name !== 'PLUGIN_FUNCTION');
    const stranger = other.upload({ ...found, bindings, keepBindings: [], tailConsumers: undefined });
    other.deploy([{ version_id: stranger.id, percentage: 100 }]);
    await project.configure({ name: 'office-2', routes: undefined });
    await refused('Worker office-2 is another program already');
    await project.configure({ name: 'office', routes });
  });
});

test("a Worker's key is replaced without an outage, by the command of docs/deploy.md", async () => {
  const [old] = (await entry()).keys;
  const before = live();
  const { bin } = await findWrangler(project.folder);
  const args = ['versions', 'secret', 'delete', 'PLUGIN_KEY', '--config', 'office.wrangler.jsonc'];
  await promisify(execFile)(process.execPath, [bin, ...args], {
    cwd: project.folder,
    env: { ...project.environment, ...quiet },
  });
  expect(live()).toEqual(before);
  expect(await deploy()).toMatchObject({ waiting: ['office@live'] });
  const { keys } = await entry();
  expect([keys.length, keys[0], live()]).toEqual([2, old, before]);
  await deploy('--resume');
  expect((await entry()).keys).toEqual(keys.slice(1));
});
