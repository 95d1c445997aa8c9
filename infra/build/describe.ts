import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import { isPluginTypeName, type PluginTypeName } from '../../proto/plugin-types.ts';

/** What a built plugin says of itself. */
export interface PluginDescription {
  readonly type: PluginTypeName;
  /** The RPCs it answers. */
  readonly handles: readonly string[];
  /** What its author should know, a sentence each: its `warnings`, where it has any. */
  readonly warnings: readonly string[];
}

const description = z.object({
  type: z.string().refine(isPluginTypeName),
  handles: z.array(z.string()).min(1),
  warnings: z.array(z.string()).default([]),
});

/** On fd 3, since an author's module may print while it loads. */
const program = `const { default: p } = await import(process.argv[1]);
(await import('node:fs')).writeSync(3, JSON.stringify({ type: p?.type, handles: p?.handles, warnings: p?.warnings }));`;

/**
 * Loads a Worker bundle in a process of its own, with an empty environment, and asks it for its type and RPCs.
 *
 * @throws PluginError INPUT_INVALID when it does not load within 10 s or its default export is no plugin (of the
 * expected type, where one is given)
 */
export function describePlugin(file: string, expectedType: PluginTypeName | undefined): PluginDescription {
  const child = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program, pathToFileURL(file).href],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env: {}, timeout: 10_000, encoding: 'utf8' },
  );
  const said = description.safeParse(parse(child.output[3] ?? ''));
  if (said.success && (expectedType ?? said.data.type) === said.data.type) return said.data;
  throw new PluginError('INPUT_INVALID', {
    happened: said.success
      ? `the entry exports a plugin of type ${said.data.type}`
      : `the entry does not export a plugin${firstLine(child.stderr)}`,
    expected: `a plugin${expectedType === undefined ? '' : ` of type ${expectedType}`} as its default export`,
    remedy: `Write \`export default ${expectedType ?? 'ipfilter'}({ … })\` in the entry.`,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The line of Node's report that names the error. */
function firstLine(stderr: string): string {
  const line = stderr.split('\n').find((text) => /^\w*Error/.test(text));
  return line === undefined ? '' : ` (${line})`;
}
