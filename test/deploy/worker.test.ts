import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLockFile } from '../../infra/lock/write.ts';
import { apiErrors } from '../runtimes/cloudflare-api.ts';
import type { KillAt } from '../support/killable-command.ts';
import { type WatchedEndpoint, watchEndpoint } from '../support/watched-endpoint.ts';
import { prepareWorkerProject, type WorkerProject } from './worker-project.ts';

let project: WorkerProject;
/** In front of Cloudflare's API, for commands that are killed. */
let watched: WatchedEndpoint;
beforeAll(async () => {
  project = await prepareWorkerProject();
  watched = await watchEndpoint(project.cloudflare.url);
});
afterAll(async () => {
  watched?.close();
  await project?.close();
});

const at = (name: string) => join(project.folder, name);
const worker = () => {
  const found = project.cloudflare.workers.get('office');
  if (found === undefined) throw new Error('there is no Worker');
  return found;
};
const entry = async () => {
  const lock = await readLockFile({
    lockFile: at('bundles.lock.json'),
    signerFile: at('lock-signer.key.json'),
  });
  return lock?.functions['office@live'];
};
const accepted = async () => (await entry())?.accepts.map(({ version }) => version) ?? [];
const live = () => worker().deployments[0]?.versions.map((one) => [one.version_id, one.percentage]);

/** A command that is killed, with the wrangler that it runs. */
async function killed(args: readonly string[], killAt: KillAt): Promise<void> {
  const env = { CLOUDFLARE_API_BASE_URL: project.cloudflare.url.replace(/^http:..[^/]+/, watched.url) };
  expect((await project.run(args, { killAt, env })).code).toBe(137);
}

/** A deployment from start to end. */
async function deploy(...args: string[]) {
  const { code, stdout, stderr } = await project.run(['deploy', '--json', ...args]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** What the SFTPGo machine gets for an address outside of the office. */
async function call() {
  const args = ['call', 'ipfilter', 'CheckIP', 'ip=198.51.100.7', 'protocol=SSH', '--json'];
  const { stdout, stderr } = await project.run([...args, '--config', 'host.yaml']);
  return { ...JSON.parse(stdout || '{}'), stderr };
}

describe('a Worker, from build to answers and back', () => {
  test.each([
    ['before it is created', () => /creating Worker/],
    ['when Cloudflare has created it', () => watched.done(/^PUT .*\/scripts\/office\?/)],
    ['after its upload', () => /uploaded version/],
    ['before the lock', () => /was read back/],
    ['after the lock, before it has an address', () => /sealed with seq/],
  ])('a first deployment that is killed %s', async (_, killAt) => {
    await killed(['deploy'], killAt());
  });

  test('is completed by the next one', async () => {
    const result = await deploy();
    expect(result).toMatchObject({ waiting: [], functions: [{ function: 'office@live', state: 'live' }] });
    const [version] = await accepted();
    expect(live()).toEqual([[version, 100]]);
    expect(worker().subdomain.enabled).toBe(true);
  });

  test('the host gets answers, and sees what is deployed', async () => {
    const [version] = await accepted();
    expect(await call()).toMatchObject({ result: 'denied', facts: { evidence: 'observed', version } });
    const { code, stdout, stderr } = await project.run(['verify', '--json', '--config', 'host.yaml']);
    expect(code, stdout).toBe(0);
    expect(stderr).toContain('not yet run against the live Cloudflare API');
  });

  test('logs shows what it wrote, under its name', async () => {
    const { code, stdout, stderr } = await project.run(['logs', 'office', '--since', '10m']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z office@live refused 198\.51\.100\.7$/m);
  });

  test('one byte changed behind the back is refused, and deploy --resume mends it', async () => {
    const [version] = await accepted();
    const own = worker().version(version ?? '');
    const [module] = own.modules;
    const changed = worker().upload({
      ...own,
      keepBindings: ['secret_text'],
      tailConsumers: undefined,
      modules: [
        {
          name: '',
          type: '',
          ...module,
          bytes: Buffer.concat([module?.bytes ?? Buffer.of(), Buffer.from(' ')]),
        },
      ],
    });
    worker().deploy([{ version_id: changed.id, percentage: 100 }]);
    expect(JSON.stringify(await call())).toContain('DRIFT');
    await deploy('--resume');
    expect(live()).toEqual([[version, 100]]);
    expect(await call()).toMatchObject({ result: 'denied', facts: { evidence: 'observed', version } });
  });

  test('another build waits for the host, takes a share, then everything', async () => {
    const [old] = await accepted();
    await project.build('the office is elsewhere');
    expect(await deploy()).toMatchObject({ waiting: ['office@live'] });
    const [, next] = await accepted();
    expect(live()).toEqual([[old, 100]]);
    await killed(['deploy', '--resume', '--percent', '10'], watched.done(/^POST .*\/deployments/));
    await deploy('--resume', '--percent', '10');
    expect(live()).toEqual([
      [next, 10],
      [old, 90],
    ]);
    await killed(['deploy', '--resume'], watched.done(/^POST .*\/deployments/));
    expect([await accepted(), live()]).toEqual([[old, next], [[next, 100]]]);
    // the lock is the last thing that is written: it may have ended before it is killed
    expect([0, 137]).toContain(
      (await project.run(['deploy', '--resume'], { killAt: /sealed with seq/ })).code,
    );
    await deploy('--resume');
    expect(await accepted()).toEqual([next]);
    expect(live()).toEqual([[next, 100]]);
    expect(await call()).toMatchObject({ facts: { version: next, reason: 'the office is elsewhere' } });
  });

  test('rollback goes back to the version before, which is read back first', async () => {
    const [now] = await accepted();
    await killed(['rollback', 'office'], watched.done(/^GET .*\/versions\/.*include=modules/));
    expect(await accepted()).toEqual([now]);
    const { code, stderr } = await project.run(['rollback', 'office']);
    expect(code, stderr).toBe(0);
    const [, old] = await accepted();
    expect(stderr).toContain(`version ${old} of seq`);
    await deploy('--resume');
    expect(live()).toEqual([[old, 100]]);
    expect(old).not.toBe(now);
  });
});

describe('a deployer who cannot', () => {
  test.each([
    ['read nor write', () => ({ CLOUDFLARE_API_TOKEN: 'x' }), 'forbids'],
    ['reach Cloudflare', () => ({ CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:1' }), 'cannot be reached'],
    ['name an account', () => ({ CLOUDFLARE_ACCOUNT_ID: '' }), 'CLOUDFLARE_ACCOUNT_ID'],
  ])('%s', async (_, env, said) => {
    const { code, stderr } = await project.run(['deploy'], { env: env() });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(said) });
  });

  test('ask so often', async () => {
    project.cloudflare.fail(apiErrors.throttled());
    const { code, stderr } = await project.run(['deploy']);
    project.cloudflare.fail(undefined);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Cloudflare throttles') });
  });

  test('say who may call, unless `vars` of the Worker does', async () => {
    await rename(at('adapter.jwks.json'), at('away.json'));
    const env = { PLUGIN_CALLERS: '' };
    const dry = async () => await project.run(['deploy', '--dry-run'], { env });
    const { code, stderr } = await dry();
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('nobody may call') });
    const { PLUGIN_CALLERS = '' } = project.environment;
    await project.configure({ vars: { PLUGIN_URL: project.address, PLUGIN_CALLERS } });
    expect(await dry()).toMatchObject({ code: 0 });
    await project.configure({ vars: { PLUGIN_URL: project.address } });
    await rename(at('away.json'), at('adapter.jwks.json'));
  });

  test('change what the lock says by leaving out a step', async () => {
    const before = await accepted();
    await project.build('built and not deployed');
    const { code, stderr } = await project.run(['deploy'], {
      env: { CLOUDFLARE_API_TOKEN: project.cloudflare.readToken },
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('forbids') });
    expect(await accepted()).toEqual(before);
  });
});
