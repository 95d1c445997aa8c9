import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cloud, Published } from '../../infra/deploy/cloud.ts';
import { workerCloud } from '../../infra/deploy/worker/index.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { apiErrors } from '../runtimes/cloudflare-api.ts';
import { prepareWorkerProject, type WorkerProject } from './worker-project.ts';

let project: WorkerProject;
beforeAll(async () => (project = await prepareWorkerProject()));
afterAll(async () => await project.close());

const report = () => undefined;
/** Reads its configuration once: another one after each change of it. */
let current: Cloud | undefined;
const cloud = (environment?: NodeJS.ProcessEnv): Cloud => {
  if (environment !== undefined) return workerCloud({ ...project, environment });
  current ??= workerCloud(project);
  return current;
};
const configure: WorkerProject['configure'] = async (changes) => {
  current = undefined;
  await project.configure(changes);
};
const worker = () => {
  const found = project.cloudflare.workers.get('office');
  if (found === undefined) throw new Error('there is no Worker');
  return found;
};

function lockOf({ address, accepted, keys }: Published, ...older: Published[]): LockedFunction {
  const { type, handles } = project.fn().manifest;
  return {
    type,
    target: 'worker',
    address,
    handles,
    accepts: [...older.map((one) => one.accepted), accepted],
    keys: [...keys],
  };
}

/** Every file below a folder, but for what was installed there. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules/wrangler'))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('from nothing to traffic', () => {
  let first: Published;
  let second: Published;

  test('the plan says what will be done, and nothing is done', async () => {
    expect(await cloud().plan(project.fn())).toEqual([
      'office@live: make a key and place it as the secret PLUGIN_KEY',
      'office@live: create Worker office, without an address until the lock has it',
    ]);
    expect(project.cloudflare.workers.size).toBe(0);
  });

  test('a first deployment that wrangler does not finish is made good by the second', async () => {
    project.cloudflare.fail('cut', '/workers/scripts/office/subdomain');
    await expect(cloud().publish(project.fn(), report)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    project.cloudflare.fail(undefined);
    expect(worker().versions).toHaveLength(1);
    first = await cloud().publish(project.fn(), report);
    // the key of the first one is lost with its process, so its version serves nobody
    expect(
      worker()
        .versions.map(({ id }) => id)
        .indexOf(first.accepted.version),
    ).toBe(1);
    await cloud().shift(project.fn(), lockOf(first), first.accepted.version, { report });
  });

  test('the version is what was built, to the byte, and says so in the fields of the lock', async () => {
    const bundle = project.fn().manifest.artifacts[0];
    expect(first.accepted.files).toEqual({ 'office.worker.mjs': bundle?.sha256 });
    expect(first.accepted.config).toMatchObject({
      worker: 'office',
      'binding.PLUGIN_FUNCTION': { type: 'plain_text', text: 'office@live' },
      'binding.PLUGIN_KEY': { type: 'secret_text' },
      'binding.CF_VERSION_METADATA': { type: 'version_metadata' },
    });
    const [module] = worker().version(first.accepted.version).modules;
    expect(Buffer.from(module?.bytes ?? []).equals(await readFile(project.bundle))).toBe(true);
  });

  test('its private key is in no file, and the lock has the public one', async () => {
    const { bindings } = worker().version(first.accepted.version);
    const key = JSON.parse(String(bindings.find(({ name }) => name === 'PLUGIN_KEY')?.['text']));
    expect(first.keys).toEqual([{ kty: key.kty, crv: key.crv, x: key.x }]);
    for (const file of await filesBelow(project.folder)) {
      expect(await readFile(file, 'latin1'), file).not.toContain(key.d);
    }
  });

  test('the same bytes and settings are the same version, with the same key', async () => {
    const again = await cloud().publish(project.fn(lockOf(first)), report);
    expect(again).toEqual(first);
    expect(await cloud().plan(project.fn(lockOf(first)))).toEqual([
      `office@live: Worker office has it already, as version ${first.accepted.version}`,
    ]);
  });

  test('another setting is another version under the same key, without traffic', async () => {
    await configure({ compatibility_date: '2026-06-01' });
    second = await cloud().publish(project.fn(lockOf(first)), report);
    expect(second.accepted.version).not.toBe(first.accepted.version);
    expect(second.accepted.config['compatibilityDate']).toBe('2026-06-01');
    expect(second.keys).toEqual(first.keys);
    expect(await cloud().traffic(project.fn(), lockOf(first))).toEqual([
      { version: first.accepted.version, percent: 100 },
    ]);
  });

  test('a version gets a share only if the lock accepts all that get one', async () => {
    const { version } = second.accepted;
    const options = { percent: 10, report };
    const refused = cloud().shift(project.fn(), lockOf(second), version, options);
    await expect(refused).rejects.toMatchObject({ code: 'DRIFT' });
    await cloud().shift(project.fn(), lockOf(second, first), version, options);
    expect(await cloud().traffic(project.fn(), lockOf(second, first))).toEqual([
      { version, percent: 10 },
      { version: first.accepted.version, percent: 90 },
    ]);
    const unlocked = cloud().shift(project.fn(), lockOf(first), version, { report });
    await expect(unlocked).rejects.toMatchObject({ code: 'DRIFT' });
    await cloud().shift(project.fn(), lockOf(second, first), version, { report });
    expect(await cloud().traffic(project.fn(), lockOf(second))).toEqual([{ version, percent: 100 }]);
  });

  test('done again, the shift makes no other deployment', async () => {
    const before = worker().deployments.length;
    await cloud().shift(project.fn(), lockOf(second), second.accepted.version, { report });
    expect(worker().deployments).toHaveLength(before);
  });

  test('an older version is read back before it is given traffic again', async () => {
    await cloud().readBack(project.fn(), lockOf(second), first.accepted);
    const gone = { ...first.accepted, version: '00000000-0000-4000-8000-000000000000' };
    const changed = { ...first.accepted, files: { 'office.worker.mjs': '0'.repeat(64) } };
    for (const [accepted, field] of [
      [gone, 'version'],
      [changed, 'office.worker.mjs'],
    ] as const) {
      const refused = cloud().readBack(project.fn(), lockOf(second), accepted);
      await expect(refused, field).rejects.toMatchObject({
        code: 'DRIFT',
        message: expect.stringContaining(field),
      });
    }
  });
});

describe('what is refused', () => {
  const refused = async (expected: object, environment?: NodeJS.ProcessEnv) =>
    await expect(cloud(environment).publish(project.fn(), report)).rejects.toMatchObject(expected);

  test('a configuration that lacks something, and one that wrangler cannot read', async () => {
    await configure({ version_metadata: undefined });
    await refused({ code: 'CONFIG_INVALID', happened: expect.stringContaining('version_metadata') });
    await configure({
      version_metadata: { binding: 'CF_VERSION_METADATA' },
      compatibility_flags: 'x',
    });
    await refused({ code: 'CONFIG_INVALID', happened: expect.stringContaining('compatibility_flags') });
    await configure({ compatibility_flags: [] });
  });

  test('a stage that the configuration does not have', async () => {
    const staged = { ...project.fn(), stage: 'beta', id: 'office@beta' };
    await expect(cloud().publish(staged, report)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      happened: expect.stringContaining('environment beta'),
    });
  });

  test('no token, a token without rights, a bad one', async () => {
    const { environment, cloudflare } = project;
    await refused({ code: 'CONFIG_INVALID' }, { ...environment, CLOUDFLARE_API_TOKEN: '' });
    const forbidden = {
      code: 'UNREACHABLE',
      problem: 'forbidden',
      remedy: expect.stringContaining('edit Workers Scripts'),
    };
    await refused(forbidden, { ...environment, CLOUDFLARE_API_TOKEN: 'x' });
    // it may read: wrangler's upload is what fails
    const before = worker().versions.length;
    await refused(forbidden, { ...environment, CLOUDFLARE_API_TOKEN: cloudflare.readToken });
    expect(worker().versions).toHaveLength(before);
  });

  test('an API that throttles, fails, or cannot be reached', async () => {
    const { environment, cloudflare } = project;
    cloudflare.fail(apiErrors.throttled());
    await refused({ code: 'UNREACHABLE', problem: 'throttled' });
    cloudflare.fail('cut');
    await refused({ code: 'UNREACHABLE', problem: 'unreachable' });
    cloudflare.fail(undefined);
    const nowhere = { ...environment, CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:1/client/v4' };
    await refused({ code: 'UNREACHABLE', problem: 'unreachable' }, nowhere);
  });

  test('a project without wrangler', async () => {
    const elsewhere = workerCloud({ folder: '/', environment: project.environment });
    await expect(elsewhere.publish(project.fn(), report)).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      remedy: expect.stringContaining('npm i -D wrangler'),
    });
  });

  test('bytes that are not those of the build, before anything is sent', async () => {
    const bytes = await readFile(project.bundle);
    const before = project.cloudflare.requests.filter((line) => line.startsWith('P')).length;
    await writeFile(project.bundle, Buffer.concat([bytes, Buffer.from(' ')]));
    await refused({ code: 'DRIFT', expected: expect.stringContaining('as it was built') });
    await writeFile(project.bundle, bytes);
    expect(project.cloudflare.requests.filter((line) => line.startsWith('P'))).toHaveLength(before);
  });

  test('a secret that nobody set, and a secret that nobody listed', async () => {
    await configure({ secrets: { required: ['PLUGIN_KEY', 'LDAP_PASSWORD'] } });
    await refused({ code: 'INPUT_INVALID', happened: expect.stringContaining('LDAP_PASSWORD') });
    // a new Worker is created first, so that there is one to put it into
    await configure({ name: 'asking' });
    await refused({ code: 'CONFIG_INVALID', remedy: expect.stringContaining('secret put LDAP_PASSWORD') });
    project.cloudflare.workers.get('asking')?.withSecrets({ LDAP_PASSWORD: 'x' });
    const { accepted } = await cloud().publish(project.fn(), report);
    expect(accepted.config['binding.LDAP_PASSWORD']).toEqual({ type: 'secret_text' });
    await configure({ name: 'office', secrets: { required: ['PLUGIN_KEY'] } });
    worker().withSecrets({ STRAY: 'x' });
    await refused({ code: 'DRIFT', happened: expect.stringContaining('binding.STRAY') });
    worker().withSecrets({ STRAY: undefined });
  });

  test('a later migration of Durable Objects, with the one command that applies it', async () => {
    const objects = { bindings: [{ name: 'LIST', class_name: 'List' }] };
    const v1 = { tag: 'v1', new_sqlite_classes: ['List'] };
    // a new Worker gets its classes when it is created
    await configure({ name: 'listed', durable_objects: objects, migrations: [v1] });
    const { accepted } = await cloud().publish(project.fn(), report);
    expect(accepted.config['binding.LIST']).toMatchObject({ type: 'durable_object_namespace' });
    await configure({ compatibility_date: '2026-05-01' });
    await cloud().publish(project.fn(), report);
    const v2 = { tag: 'v2', new_sqlite_classes: ['Other'] };
    await configure({ migrations: [v1, v2] });
    await refused({ code: 'CONFIG_INVALID', remedy: expect.stringContaining('npx wrangler deploy ') });
    const { durable_objects, migrations } = { durable_objects: undefined, migrations: undefined };
    await configure({ name: 'office', durable_objects, migrations });
  });

  test('a version that Cloudflare keeps otherwise than it was uploaded', async () => {
    worker().tailConsumers = [{ service: 'listener' }];
    await refused({ code: 'DRIFT', happened: expect.stringContaining('tailConsumers') });
    worker().tailConsumers = [];
  });
});
