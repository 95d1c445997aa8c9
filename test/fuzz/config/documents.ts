import fc from 'fast-check';
import { base, type Key, keys, required } from './keys.ts';

/** YAML texts by key. */
export interface Tree {
  readonly [key: string]: string | Tree;
}

/** How a document is written. */
export type Style = 'block' | 'braces' | 'remarks';

/** A configuration with one key set, and what is to come of it. */
export interface OneKey {
  readonly path: readonly string[];
  readonly yaml: string;
  readonly style: Style;
  /** Absent: it must be refused. */
  readonly means?: { readonly value: unknown };
  /** Is there such a key, so that a refusal names it? */
  readonly known: boolean;
}

const style = fc.constantFrom<Style>('block', 'braces', 'remarks');

function oneKey({ path, valid, invalid }: Key): fc.Arbitrary<OneKey> {
  const at = { path: path.split('.'), known: true };
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...valid), style)
      .map(([[yaml, value], style]): OneKey => ({ ...at, yaml, style, means: { value } })),
    fc.tuple(fc.constantFrom(...invalid), style).map(([yaml, style]): OneKey => ({ ...at, yaml, style })),
  );
}

const sections = [
  ...['', 'lock', 'trust', 'https', 'aws', 'local', 'ipfilter', 'ipfilter.cache', 'auth', 'auth.ceiling'],
  ...['kms', 'notifier'],
];
const misspelt = fc
  .record({
    section: fc.constantFrom(...sections),
    key: fc.constantFrom(
      ...['onUnavailble', 'Use', 'used', 'allow', '__proto__', 'constructor', 'ceilings', '5', 'é', '"a b"'],
    ),
    yaml: fc.constantFrom('deny', '[]', '{}', '~', '5'),
    style,
  })
  .map(({ section, key, ...rest }): OneKey => {
    const path = [...(section === '' ? [] : section.split('.')), key];
    return { path, known: false, ...rest };
  });

/** One key of a small configuration: right, wrong, or one that there is not. */
export const anyKey = fc.oneof(
  { weight: 8, arbitrary: fc.oneof(...keys.map(oneKey)) },
  { weight: 1, arbitrary: misspelt },
);

/** The smallest configuration that can have the key, and the same without it. */
export function documentsOf({ path, yaml }: OneKey): { with: Tree; without: Tree } {
  const [section = ''] = path;
  const least: Tree = { ...base, ...(section in required ? { [section]: required[section] ?? {} } : {}) };
  return { with: withValue(least, path, yaml), without: least };
}

function withValue(tree: Tree, [key = '', ...rest]: readonly string[], yaml: string): Tree {
  const entries = new Map(Object.entries(tree));
  const inner = entries.get(key);
  entries.set(key, rest.length === 0 ? yaml : withValue(typeof inner === 'object' ? inner : {}, rest, yaml));
  return Object.fromEntries(entries);
}

/** The text of a document; a value that begins a line of its own gets the indentation of its key. */
export function written(tree: Tree, style: Style): string {
  const remark = style === 'remarks' ? ['# a remark', ''] : [];
  const lines = Object.entries(tree).flatMap(([key, value]) =>
    style === 'braces' && typeof value === 'object'
      ? [`${key}: ${inBraces(value)}`]
      : blockLines(key, value, '', style),
  );
  return [...remark, ...lines, ...remark].join('\n');
}

function blockLines(key: string, value: string | Tree, indent: string, style: Style): string[] {
  const remark = style === 'remarks' ? '   # why' : '';
  if (typeof value === 'object') {
    const inner = Object.entries(value).flatMap(([name, each]) =>
      blockLines(name, each, `${indent}  `, style),
    );
    return [`${indent}${key}:${remark}`, ...inner];
  }
  const [first = '', ...more] = value.split('\n');
  return [`${indent}${key}: ${first}${remark}`, ...more.map((line) => `${indent}  ${line}`)];
}

function inBraces(value: string | Tree): string {
  if (typeof value !== 'object') return value.startsWith('\n- ') ? `[${value.slice(3)}]` : value;
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${inBraces(each)}`)
    .join(', ')} }`;
}
