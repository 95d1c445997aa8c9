import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text as streamText } from 'node:stream/consumers';
import * as z from 'zod';
import { PluginError } from '../../../proto/error.ts';
import type { ProjectFunction } from '../project.ts';
import { quiet, type Wrangler } from './wrangler.ts';

const route = z.union([
  z.string(),
  z.looseObject({ pattern: z.string(), custom_domain: z.boolean().optional() }),
]);

const config = z.object({
  name: z.string().optional(),
  definedEnvironments: z.array(z.string()).default([]),
  account_id: z.string().optional(),
  no_bundle: z.boolean().optional(),
  workers_dev: z.boolean().optional(),
  preview_urls: z.boolean().optional(),
  route: route.optional(),
  routes: z.array(route).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
  version_metadata: z.looseObject({ binding: z.string() }).optional(),
  secrets: z.looseObject({ required: z.array(z.string()).optional() }).optional(),
  kv_namespaces: z.array(z.looseObject({ binding: z.string(), id: z.string().optional() })).optional(),
  tail_consumers: z.array(z.unknown()).nullish(),
  dependencies_instrumentation: z.looseObject({ enabled: z.boolean().optional() }).optional(),
  assets: z.unknown().optional(),
});

/** What a wrangler configuration says, as wrangler itself reads it: environments, defaults and TOML included. */
export type WorkerSettings = z.infer<typeof config> & {
  /** Absolute path of the configuration. */
  readonly file: string;
  readonly name: string;
  /** The configuration as it is written, parsed. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** Absent for stage `live`; else the section of `env` in the configuration. */
  readonly env?: string;
};

/** Runs in a process of its own: wrangler is 15 MB of JavaScript, and may print. */
const program = `const [module, config, env] = process.argv.slice(1);
const { unstable_readConfig: read, experimental_readRawConfig: readRaw } = require(module);
let said;
try {
  const { rawConfig: raw } = readRaw({ config });
  said = { raw, config: read({ config, ...(env && { env }) }, { hideWarnings: true }) };
} catch (error) {
  said = { problem: String(error.message) };
}
require('node:fs').writeSync(3, JSON.stringify(said));`;

const said = z.object({
  config: z.unknown().optional(),
  raw: z.unknown().optional(),
  problem: z.string().optional(),
});

/**
 * Reads the wrangler configuration of a function and checks what no function may do without.
 *
 * @throws PluginError CONFIG_INVALID, naming the field
 */
export async function readSettings(
  wrangler: Wrangler,
  fn: ProjectFunction,
  environment: NodeJS.ProcessEnv,
): Promise<WorkerSettings> {
  const file = fn.config ?? '';
  const env = fn.stage === 'live' ? undefined : fn.stage;
  const { raw, config: resolved } = await readByWrangler(wrangler, file, env, environment);
  const settings = config.safeParse(resolved);
  if (!settings.success) {
    const [issue] = settings.error.issues;
    throw invalid(
      file,
      `${issue?.path.join('.')} is not usable`,
      issue?.message ?? 'another value',
      'Correct it.',
    );
  }
  const { name, definedEnvironments } = settings.data;
  if (env !== undefined && !definedEnvironments.includes(env)) {
    throw invalid(
      file,
      `there is no environment ${env} in it`,
      `"env": { "${env}": { … } } with its own KV namespaces: stage ${env} is a Worker of its own`,
      'Add it, or correct --stage.',
    );
  }
  if (name === undefined) {
    throw invalid(file, 'there is no name', '"name": the name of the Worker', 'Add it.');
  }
  const read = { ...settings.data, name, file, raw: Object(raw), ...(env === undefined ? {} : { env }) };
  checkSettings(read, fn.id);
  return read;
}

async function readByWrangler(
  { module }: Wrangler,
  file: string,
  env: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<{ raw: unknown; config: unknown }> {
  const child = spawn(
    process.execPath,
    ['--input-type=commonjs', '--eval', program, module, file, env ?? ''],
    {
      env: { ...environment, ...quiet },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  const ended = once(child, 'close');
  const text = await streamText(child.stdio[3] as Readable);
  await ended;
  const { problem, ...read } = said.parse(text === '' ? { problem: 'wrangler ended' } : JSON.parse(text));
  if (problem === undefined) return { raw: read.raw, config: read.config };
  throw invalid(
    file,
    `wrangler cannot read it: ${problem.replace(/\s+/g, ' ').trim().slice(0, 400)}`,
    'a wrangler configuration',
    'Correct it: docs/deploy.md explains every line.',
  );
}

/**
 * What makes a Worker a function that can be checked: else a mistake would show at its first call, or never.
 *
 * @throws PluginError CONFIG_INVALID, naming the field
 */
export function checkSettings(settings: WorkerSettings, id: string): void {
  const { file, vars = {}, secrets, version_metadata: metadata, kv_namespaces: kv = [] } = settings;
  const wrong = (happened: string, expected: string, remedy: string) => {
    throw invalid(file, happened, expected, remedy);
  };
  if (settings.no_bundle !== true) {
    wrong('no_bundle is not set', '"no_bundle": true: the bytes of `build` as they are', 'Add it.');
  }
  if (metadata?.binding !== 'CF_VERSION_METADATA') {
    wrong(
      'there is no version_metadata',
      '"version_metadata": { "binding": "CF_VERSION_METADATA" }, by which a version knows its id',
      'Add it.',
    );
  }
  if (vars['PLUGIN_KEY'] !== undefined) {
    wrong(
      'the variable PLUGIN_KEY is in it',
      'the key as a secret, which `deploy` makes and places',
      'Take it out.',
    );
  }
  if (secrets?.required?.includes('PLUGIN_KEY') !== true) {
    wrong('PLUGIN_KEY is not required', '"secrets": { "required": ["PLUGIN_KEY"] }', 'Add it.');
  }
  if (![undefined, id].includes(vars['PLUGIN_FUNCTION'] as string | undefined)) {
    wrong('the variable PLUGIN_FUNCTION is another function', id, 'Take it out: `deploy` sets it.');
  }
  if ((settings.tail_consumers ?? []).length > 0) {
    wrong('tail_consumers are set', 'none: they would see every call', 'Take them out.');
  }
  if (settings.assets !== undefined)
    wrong('assets are set', 'none: a function has no files', 'Take them out.');
  const unnamed = kv.find(({ id: namespace }) => !namespace);
  if (unnamed !== undefined) {
    wrong(
      `the KV namespace ${unnamed.binding} has no id`,
      'the id of a namespace that exists: the lock names it',
      `Make one: npx wrangler kv namespace create ${unnamed.binding}`,
    );
  }
  if (settings.dependencies_instrumentation?.enabled !== false) {
    wrong(
      'dependencies_instrumentation is on',
      '"dependencies_instrumentation": { "enabled": false }: else wrangler uploads the list of your packages',
      'Add it.',
    );
  }
}

function invalid(file: string, happened: string, expected: string, remedy: string): PluginError {
  return new PluginError('CONFIG_INVALID', { happened: `${file}: ${happened}`, expected, remedy });
}
