import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { nearest } from '../../adapter/config/nearest.ts';
import { PluginError } from '../../proto/error.ts';

/** Where `deploy` can bring a function to. */
export const cloudTargets = ['lambda', 'worker'] as const;

export type CloudTarget = (typeof cloudTargets)[number];

/** One function of a project. */
export interface ProjectFunction {
  /** `office`: names its build, its resources, and with the stage its entry in the lock. */
  readonly name: string;
  /** `live` unless --stage says otherwise. */
  readonly stage: string;
  /** `office@live`. */
  readonly id: string;
  /** Absolute path of the module whose default export is the plugin. */
  readonly entry: string;
  readonly target: CloudTarget;
  /** worker: absolute path of its wrangler configuration. */
  readonly config?: string;
}

/** What a project deploys. */
export interface Project {
  /** Absolute path of the folder that {@link file} is in. */
  readonly folder: string;
  /** `serverless.yml`. */
  readonly file: string;
  /** In the order of the file. */
  readonly functions: readonly ProjectFunction[];
}

const fileNames = ['serverless.yml', 'serverless.yaml'];
const keys = ['entry', 'target', 'config'];
const example = 'custom: { plugins: { office: { entry: office.ts, target: lambda } } }';

/**
 * Reads which functions a project deploys, from `custom.plugins` of its serverless.yml; osls reads the rest of it.
 *
 * ```yaml
 * custom:
 *   plugins:
 *     office: { entry: office.ts, target: worker, config: office.wrangler.jsonc }
 *     team: { entry: team.ts, target: lambda }
 * ```
 *
 * @throws PluginError CONFIG_INVALID with file and line
 */
export async function readProject(folder: string, stage = 'live'): Promise<Project> {
  const file = fileNames.find((name) => existsSync(join(folder, name)));
  if (file === undefined) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `there is no serverless.yml in ${folder}`,
      expected: `the functions to deploy: ${example}`,
      remedy: 'Change to the folder of the project, or write the file: docs/deploy.md.',
    });
  }
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(stage)) {
    throw new PluginError('INPUT_INVALID', {
      happened: '--stage is no name of a stage',
      expected: 'lower-case letters, digits and hyphens: live, beta',
      remedy: 'Correct it.',
    });
  }
  const reader = new Reader(file, await readFile(join(folder, file), 'utf8'));
  const functions = reader.plugins().map(([name, value]): ProjectFunction => {
    const settings = reader.settings(name, value);
    return {
      name,
      stage,
      id: `${name}@${stage}`,
      entry: resolve(folder, settings.entry),
      target: settings.target,
      ...(settings.config === undefined ? {} : { config: resolve(folder, settings.config) }),
    };
  });
  return { folder: resolve(folder), file, functions };
}

/**
 * The functions that a command was told, or all of them: at least one.
 *
 * @throws PluginError INPUT_INVALID for a name that the project does not have, or when none is on the target
 */
export function selectFunctions(
  project: Project,
  names: readonly string[],
  target?: CloudTarget,
): readonly ProjectFunction[] {
  const bare = names.map((name) => name.replace(/@.*/, ''));
  for (const [index, name] of bare.entries()) {
    const own = project.functions.find((fn) => fn.name === name);
    if (own !== undefined && [name, own.id].includes(names[index] ?? '')) continue;
    const known = project.functions.map((fn) => fn.id);
    const near = nearest(
      name,
      project.functions.map((fn) => fn.name),
    );
    throw new PluginError('INPUT_INVALID', {
      happened: `${project.file} has no function ${names[index]}`,
      expected: `one of ${known.join(', ')}`,
      remedy: near === undefined ? 'Correct the name, or --stage.' : `Did you mean ${near}?`,
    });
  }
  const named = project.functions.filter(({ name }) => bare.length === 0 || bare.includes(name));
  const selected = named.filter((fn) => target === undefined || fn.target === target);
  if (selected.length > 0) return selected;
  throw new PluginError('INPUT_INVALID', {
    happened: `--target ${target} leaves nothing to do: ${project.file} has ${named.map(({ id }) => id).join(', ')} on another target`,
    expected: `a function on ${target}`,
    remedy: 'Leave --target out, or name another function.',
  });
}

/** Reads the one part of serverless.yml that is ours, and knows the line of everything in it. */
class Reader {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #root: Node | null;

  constructor(file: string, text: string) {
    this.#file = file;
    const document = parseDocument(text, { lineCounter: this.#lines, customTags: cloudFormationTags });
    const [error] = document.errors;
    this.#root = document.contents;
    if (error !== undefined) throw this.#wrong(error.pos[0], error.message.split('\n')[0] ?? '', 'YAML');
  }

  plugins(): [name: string, value: unknown][] {
    const plugins = mapIn(mapIn(this.#root, 'custom'), 'plugins');
    if (!isMap(plugins) || plugins.items.length === 0) {
      throw this.#wrong(
        plugins?.range?.[0] ?? 0,
        'custom.plugins names no function',
        `the functions to deploy: ${example}`,
      );
    }
    return plugins.items.map((pair) => {
      const name = textOf(pair.key);
      if (name !== undefined && /^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return [name, pair];
      throw this.#wrong(
        startOf(pair.key),
        `custom.plugins.${name ?? '?'} is no name of a function`,
        'lower-case letters, digits and hyphens: office',
      );
    });
  }

  settings(name: string, plugin: unknown): { entry: string; target: CloudTarget; config?: string } {
    const { key, value } = plugin as Pair;
    const place = `custom.plugins.${name}`;
    if (!isMap(value))
      throw this.#wrong(startOf(key), `${place} is no map`, '{ entry: FILE, target: lambda }');
    for (const { key: setting } of value.items) {
      const text = textOf(setting) ?? '?';
      if (keys.includes(text)) continue;
      throw this.#wrong(startOf(setting), `${place}.${text} is unknown`, `one of ${keys.join(', ')}`);
    }
    const entry = this.#text(value, place, 'entry', 'the module of the plugin: office.ts');
    const target = this.#text(value, place, 'target', `one of ${cloudTargets.join(', ')}`);
    if (!isTarget(target)) {
      const at = startOf(value.get('target', true));
      throw this.#wrong(at, `${place}.target is ${target}`, `one of ${cloudTargets.join(', ')}`);
    }
    if (!value.has('config')) {
      if (target === 'lambda') return { entry, target };
      throw this.#wrong(startOf(key), `${place}.config is missing`, 'its wrangler configuration: FILE.jsonc');
    }
    if (target === 'lambda') {
      const at = startOf(value.get('config', true));
      throw this.#wrong(
        at,
        `${place}.config is for workers`,
        'settings of a Lambda function under `functions`',
      );
    }
    return { entry, target, config: this.#text(value, place, 'config', 'its wrangler configuration') };
  }

  #text(map: YAMLMap, place: string, key: string, expected: string): string {
    const node = map.get(key, true);
    const value = textOf(node);
    if (value !== undefined && value !== '') return value;
    const what = map.has(key) ? 'is no text' : 'is missing';
    throw this.#wrong(startOf(node ?? map), `${place}.${key} ${what}`, expected);
  }

  #wrong(offset: number, happened: string, expected: string): PluginError {
    return new PluginError('CONFIG_INVALID', {
      happened: `${this.#file}:${this.#lines.linePos(offset).line}: ${happened}`,
      expected,
      remedy: 'Correct the file: docs/deploy.md explains every line.',
    });
  }
}

/** CloudFormation's short forms: osls resolves them, here they only must not be errors. */
const cloudFormationTags = ['Ref', 'Sub', 'GetAtt', 'Join', 'If', 'ImportValue', 'Select', 'Split'].flatMap(
  (name) => {
    const tag = `!${name}`;
    const resolveAny = () => ({ [name]: true });
    return [
      { tag, resolve: resolveAny },
      { tag, collection: 'seq' as const, resolve: resolveAny },
      { tag, collection: 'map' as const, resolve: resolveAny },
    ];
  },
);

function mapIn(node: unknown, key: string): Node | null {
  const value = isMap(node) ? node.get(key, true) : undefined;
  return (value as Node | undefined) ?? null;
}

function textOf(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function isTarget(text: string): text is CloudTarget {
  return (cloudTargets as readonly string[]).includes(text);
}
