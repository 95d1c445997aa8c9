import { type Document, isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { PluginError } from '../../proto/error.ts';
import { nearest } from './nearest.ts';
import { type Config, configSchema } from './schema.ts';

type Path = readonly PropertyKey[];

function fail(place: string, happened: string, expected: string, remedy: string): never {
  throw new PluginError('CONFIG_INVALID', { happened: `${place} ${happened}`, expected, remedy });
}

/** `file:line:column` of the key or value at a path, or of the nearest parent that exists. */
function placeOf(file: string, document: Document, lines: LineCounter, path: Path): string {
  for (let length = path.length; length >= 0; length -= 1) {
    const parent: unknown =
      length === 0 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (length === 0) break;
    if (!isMap(parent)) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      if (isScalar(node) && node.range) return position(file, lines, node.range[0]);
      continue;
    }
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === path[length - 1]);
    if (pair && isScalar(pair.key) && pair.key.range) return position(file, lines, pair.key.range[0]);
  }
  return `${file}:1:1`;
}

function position(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

/** The keys that the schema knows at a path. */
function keysAt(path: Path): string[] {
  let schema: unknown = configSchema;
  for (const key of [...path, undefined]) {
    while (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) schema = schema.unwrap();
    if (!(schema instanceof z.ZodObject)) return [];
    if (key === undefined) return Object.keys(schema.shape);
    schema = schema.shape[String(key)];
  }
  return [];
}

/**
 * Parses the text of a config file (YAML 1.2, and so JSON).
 *
 * Takes the text and the file's name for messages; returns the checked config with durations in ms. Throws
 * CONFIG_INVALID for the first problem: file, line, column, key, what is expected, the nearest valid key.
 */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const broken = document.errors[0];
  if (broken) {
    fail(position(file, lines, broken.pos[0]), `is not YAML: ${broken.message}`, 'YAML 1.2', 'Correct it.');
  }
  const result = configSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) fail(file, 'is not a configuration', 'the keys of docs/config.md', 'Correct it.');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = keysAt(issue.path);
    const suggestion = nearest(key, known);
    fail(
      placeOf(file, document, lines, [...issue.path, key]),
      `has an unknown key "${[...issue.path, key].join('.')}"`,
      `one of ${known.join(', ')}`,
      suggestion === undefined ? 'Remove it.' : `Did you mean "${suggestion}"?`,
    );
  }
  const given: unknown = document.getIn(issue.path);
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const suggestion = typeof given === 'string' ? nearest(given, choices) : undefined;
  fail(
    placeOf(file, document, lines, issue.path),
    `${given === undefined ? 'lacks' : 'has a wrong value at'} "${issue.path.join('.')}"`,
    choices.length > 0 ? choices.join(' | ') : issue.message.replace(/^expected /i, ''),
    suggestion === undefined ? 'Correct it.' : `Did you mean "${suggestion}"?`,
  );
}
