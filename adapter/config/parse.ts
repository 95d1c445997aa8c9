import { type Document, isMap, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
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
    const pair = parent.items.find(
      (item) => isScalar(item.key) && String(item.key.value) === String(path[length - 1]),
    );
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

/** Mistakes that people make, in words; the parser's own for the rest. */
function notYaml(
  { code, message, pos }: YAMLError,
  text: string,
): readonly [happened: string, expected: string] {
  switch (code) {
    case 'TAB_AS_INDENT':
      return ['is indented with a tab', 'spaces'];
    case 'DUPLICATE_KEY':
      return [`has the key "${/^[\w$-]+/.exec(text.slice(pos[0]))?.[0] ?? ''}" twice`, 'each key once'];
    case 'MULTIPLE_DOCS':
      return ['begins a second document', 'one document, without a line ---'];
    default:
      return [`is not YAML: ${message}`, 'YAML 1.2'];
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list: [a, b]',
  boolean: 'true or false',
};

/** What a key's value should have been. Our own messages begin with "expected", zod's do not. */
function expectationOf(issue: z.core.$ZodIssue): string {
  if (/^expected /i.test(issue.message)) return issue.message.slice('expected '.length);
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'object'
        ? `the keys ${keysAt(issue.path).join(', ')}`
        : (kinds[issue.expected] ?? issue.expected);
    case 'too_small':
      return issue.origin === 'string' ? 'text that is not empty' : `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** The document as plain values. An alias would let one line mean another; nobody needs it in a page of config. */
function valuesOf(document: Document, at: (offset: number) => string): unknown {
  visit(document, {
    Alias(_, { source, range }) {
      fail(at(range?.[0] ?? 0), `has an alias "*${source}"`, 'the value itself', 'Write it out.');
    },
  });
  return document.toJS({ maxAliasCount: 0 });
}

/**
 * Parses the text of a config file (YAML 1.2, and so JSON).
 *
 * Takes the text and the file's name for messages; returns the checked config with durations in ms. Throws
 * CONFIG_INVALID for the first problem: file, line, column, key, what is expected, the nearest valid key.
 */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: 'error',
  });
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken) fail(position(file, lines, broken.pos[0]), ...notYaml(broken, text), 'Correct it.');
  const values = valuesOf(document, (offset) => position(file, lines, offset));
  const result = configSchema.safeParse(values);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined || issue.path.length + Number(issue.code === 'unrecognized_keys') === 0) {
    const happened = values === null ? 'is empty' : 'is no configuration';
    fail(`${file}:1:1`, happened, `the keys ${keysAt([]).join(', ')}`, 'Write them, or correct the path.');
  }
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
    choices.length > 0 ? choices.join(' | ') : expectationOf(issue),
    suggestion === undefined
      ? `${given === undefined ? 'Add' : 'Correct'} it.`
      : `Did you mean "${suggestion}"?`,
  );
}
