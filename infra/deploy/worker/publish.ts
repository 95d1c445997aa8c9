import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { workerConfig, workerFiles } from '../../../adapter/targets/worker/configuration.ts';
import type { FoundVersion } from '../../../adapter/targets/worker/found.ts';
import { PluginError } from '../../../proto/error.ts';
import { sha256Hex } from '../../../proto/lock/digest.ts';
import type { DeployFunction, Published, Report } from '../cloud.ts';
import { workerNameOf } from '../place.ts';
import { shellWord } from '../shell.ts';
import { addressOf } from './address.ts';
import { callersFor } from './callers.ts';
import { type Difference, differences } from './compare.ts';
import { creationConfig } from './creation.ts';
import { driftOf } from './drift.ts';
import { configArguments, expectedVersion, type UploadPlan, uploadArguments } from './form.ts';
import { keyFor, keyIdVariable, type WorkerKey } from './key.ts';
import type { Session } from './session.ts';
import { runWrangler, type WranglerOutput } from './wrangler.ts';

/** What an upload comes to, before it is done. */
export interface Prepared {
  readonly address: string;
  readonly exists: boolean;
  readonly key: WorkerKey;
  readonly plan: UploadPlan;
  /** What Cloudflare has to say of the version. */
  readonly expected: FoundVersion;
  /** A version that has been uploaded with these bytes and settings. */
  readonly same?: FoundVersion;
}

/** Finds out what is to be uploaded and whether it has been. Changes nothing. Throws as `Cloud.publish`. */
export async function prepare(session: Session, fn: DeployFunction): Promise<Prepared> {
  const { settings, api, environment, folder, wrangler } = session;
  const { name } = settings;
  const artifact = fn.manifest.artifacts.find(({ runtime }) => runtime === 'worker');
  if (artifact === undefined) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the build of ${fn.name} has no bundle for Workers`,
      expected: `${fn.name}.worker.mjs`,
      remedy: 'Build it for Workers as well: build --targets worker FILE.',
    });
  }
  const callers = callersFor(settings, environment);
  const address = await addressOf(settings, api);
  const exists = (await api.worker(name)) !== undefined;
  const ids = exists ? await api.newestVersions(name) : [];
  const locked = workerNameOf(fn.locked) === name ? fn.locked : undefined;
  const key = await keyFor(locked, ids[0] === undefined ? undefined : await api.version(name, ids[0]));
  const plan: UploadPlan = {
    settings,
    bundle: resolve(fn.builtIn, artifact.file),
    variables: {
      PLUGIN_FUNCTION: fn.id,
      [keyIdVariable]: key.keyid,
      ...(callers === undefined ? {} : { PLUGIN_CALLERS: callers }),
    },
  };
  const expected = await expectedVersion(wrangler, plan, environment, folder);
  checkBytes(expected, artifact);
  const same = key.secret === undefined ? await findSame(session, expected, ids) : undefined;
  return { address, exists, key, plan, expected, ...(same === undefined ? {} : { same }) };
}

/** `Cloud.publish` of a Worker. */
export async function publish(session: Session, fn: DeployFunction, report: Report): Promise<Published> {
  const { address, exists, key, plan, expected, same } = await prepare(session, fn);
  const { name, preview_urls: hasPreviews } = session.settings;
  if (hasPreviews === true) report(`${fn.id}: preview URLs are on; only \`pin: version-url\` needs them`);
  if (same !== undefined)
    report(`${fn.id}: Worker ${name} has these bytes and settings as version ${same.id}`);
  const id = same?.id ?? (await upload(session, fn, { exists, key, plan }, report));
  const found = await session.api.version(name, id);
  const worker = await session.api.worker(name);
  if (found === undefined || worker === undefined) {
    throw driftOf(fn.id, id, { field: 'version', expected: id, found: 'none' });
  }
  const [difference] = differences(expected, found, worker);
  if (difference !== undefined) throw notSet(session, difference) ?? driftOf(fn.id, id, difference);
  report(`${fn.id}: version ${id} was read back: code and settings are those that were built`);
  const inputs = fn.manifest.artifacts.find(({ runtime }) => runtime === 'worker')?.inputs ?? {};
  const accepted = { version: id, files: workerFiles(found), config: workerConfig(found, worker), inputs };
  return { address, accepted, keys: key.keys };
}

/** wrangler has to send the bytes of the build and nothing else: told before anything is sent. */
function checkBytes(expected: FoundVersion, artifact: { file: string; sha256: string }): void {
  const modules = (expected.modules ?? []).map(
    ({ name, content_base64: content }) => `${name} ${sha256Hex(Buffer.from(content, 'base64'))}`,
  );
  if (modules.join() === `${artifact.file} ${artifact.sha256}`) return;
  throw new PluginError('DRIFT', {
    happened: `wrangler would upload ${modules.join(', ')}`,
    expected: `${artifact.file} ${artifact.sha256} alone, as it was built`,
    remedy:
      'Take `rules`, `build` and `find_additional_modules` out of the wrangler configuration, then build again.',
  });
}

async function findSame(
  { api, settings: { name } }: Session,
  expected: FoundVersion,
  ids: readonly string[],
): Promise<FoundVersion | undefined> {
  const worker = await api.worker(name);
  for (const id of worker === undefined ? [] : ids) {
    const found = await api.version(name, id);
    if (found && worker && differences(expected, found, worker).length === 0) return found;
  }
  return undefined;
}

async function upload(
  session: Session,
  fn: DeployFunction,
  { exists, key, plan }: Pick<Prepared, 'exists' | 'key' | 'plan'>,
  report: Report,
): Promise<string> {
  const { settings, wrangler, environment, folder } = session;
  const secrets = key.secret === undefined ? [] : ['--secrets-file', '/dev/stdin'];
  const common = {
    folder,
    environment,
    ...(key.secret === undefined ? {} : { stdin: JSON.stringify({ PLUGIN_KEY: key.secret }) }),
  };
  if (key.secret !== undefined) report(`${fn.id}: made a key, ${key.keyid}`);
  const message = ['--message', `sftpgo-plugin-serverless ${fn.id}`];
  if (exists) {
    const args = ['versions', 'upload', ...uploadArguments(plan), ...secrets, ...message];
    const purpose = `upload a version of Worker ${settings.name}`;
    const output = await runWrangler(wrangler, { ...common, args, purpose }).catch((error: unknown) => {
      throw migrationNeeded(session, plan, error) ?? error;
    });
    return reported(fn, output, report);
  }
  const desk = await mkdtemp(join(tmpdir(), 'sftpgo-plugin-create-'));
  try {
    const file = join(desk, 'wrangler.json');
    await writeFile(file, JSON.stringify(creationConfig(settings, plan.bundle)));
    const own = uploadArguments({ ...plan, settings: { ...settings, file } });
    report(`${fn.id}: creating Worker ${settings.name}, without an address as yet`);
    const purpose = `create Worker ${settings.name}`;
    const args = ['deploy', ...own, ...secrets, ...message];
    return reported(fn, await runWrangler(wrangler, { ...common, args, purpose }), report);
  } finally {
    await rm(desk, { recursive: true, force: true });
  }
}

function reported(fn: DeployFunction, output: WranglerOutput, report: Report): string {
  const id = output.find(({ type }) => type === 'version-upload' || type === 'deploy')?.['version_id'];
  if (typeof id !== 'string') {
    throw new PluginError('INPUT_INVALID', {
      happened: 'wrangler did not say which version it uploaded',
      expected: 'the version id in the file that WRANGLER_OUTPUT_FILE_PATH names',
      remedy: 'Install wrangler 4.164.0, the release that this package was tested with.',
    });
  }
  report(`${fn.id}: uploaded version ${id}`);
  return id;
}

/** A secret of the author's that is required and has no value: not drift, but something to do. */
function notSet({ settings }: Session, { field, expected, found }: Difference): PluginError | undefined {
  const [, name] = /^binding\.(.+)$/.exec(field) ?? [];
  if (name === undefined || found !== 'none' || !expected.includes('secret_text')) return undefined;
  return new PluginError('CONFIG_INVALID', {
    happened: `the secret ${name} of Worker ${settings.name} has no value`,
    expected: 'a value for each of secrets.required',
    remedy: `Run: npx wrangler versions secret put ${name} ${configArguments(settings).map(shellWord).join(' ')}; then deploy again.`,
  });
}

/** Durable Object classes change only with a deployment that gives the new code all traffic at once. */
function migrationNeeded(session: Session, plan: UploadPlan, error: unknown): PluginError | undefined {
  if (!(error instanceof PluginError) || !/pending Durable Object migration/.test(error.happened))
    return undefined;
  const own = uploadArguments(plan).map(shellWord);
  return new PluginError('CONFIG_INVALID', {
    happened: `Worker ${session.settings.name} has a new migration of Durable Objects, which Cloudflare applies only together with new traffic`,
    expected: 'a time without calls: the adapter refuses the new version until it has the lock',
    remedy: `In that time run: npx wrangler deploy ${own.join(' ')}; then deploy again, which finds that version and writes the lock.`,
    cause: error,
  });
}
