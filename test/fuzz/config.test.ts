import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../adapter/config/parse.ts';
import type { Config } from '../../adapter/config/schema.ts';
import { PluginError } from '../../proto/error.ts';
import { anyKey, documentsOf, written } from './config/documents.ts';
import { damaged, edits } from './damage.ts';
import { fuzz, limitMs, same } from './runs.ts';

/** A configuration, or the text of CONFIG_INVALID with a place: nothing else, whatever the text is. */
function read(text: string): Config | string {
  try {
    const config = parseConfig(text, 'fuzz.yaml');
    same(config.identity === '', false);
    return config;
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    const place = /^fuzz\.yaml:\d+:\d+ /.test(error.happened);
    same([error.code, place, error.happened], ['CONFIG_INVALID', true, error.happened]);
    return error.happened;
  }
}

/** The keys at the top of docs/config.md with what is below each, without remarks: they would take most of the damage. */
const page = readFileSync(join(import.meta.dirname, '../../docs/config.md'), 'utf8');
const example = (/```yaml\n(.*?)```/s.exec(page)?.[1] ?? '').replaceAll(/ *#.*$/gm, '');
const blocks = example.split(/\n(?=\w)/).map((block) => block.replaceAll(/\n\s*(?=\n|$)/g, ''));
const of = (name: string) => blocks.find((block) => block.startsWith(`${name}:`)) ?? '';
const least = ['identity', 'lock', 'trust'].map(of);
/** The least configuration with one of the others: a text of a few lines is parsed in a tenth of the time. */
const texts = blocks
  .filter((block) => !least.includes(block))
  .map((block) => [...least, block, ''].join('\n'));

test('the texts that are damaged below are read as they are', () => {
  expect(texts.length).toBeGreaterThan(8);
  for (const text of texts) expect(read(text)).toHaveProperty('identity', 'adapter.key.json');
});

test(
  'a damaged configuration is read or refused with its place',
  fuzz(
    fc.record({ text: fc.constantFrom(...texts), edits }),
    ({ text, edits }, count) => {
      const found = read(new TextDecoder().decode(damaged(Buffer.from(text), edits)));
      count(typeof found === 'string' ? 'refused' : 'read');
    },
    { read: 0.05, refused: 0.3 },
  ),
  limitMs,
);

test(
  'of a configuration with one key changed, that key is read as it is meant and nothing else with it, or it is refused by name',
  fuzz(
    anyKey,
    (one, count) => {
      const documents = documentsOf(one);
      const text = written(documents.with, one.style);
      const found = read(text);
      if (one.means === undefined) {
        const refusal = one.known && !one.yaml.startsWith('!!') ? `"${one.path.join('.')}` : 'fuzz.yaml:';
        const named = typeof found === 'string' && found.includes(refusal);
        same({ text, found, named }, { text, found, named: true });
        count('refused');
        return;
      }
      const without = read(written(documents.without, 'block'));
      same({ text, found }, { text, found: withValue(without, one.path, one.means.value) });
      count('read');
    },
    { read: 0.2, refused: 0.3 },
  ),
  limitMs,
);

/** A configuration with one value set, and every default as it was. */
function withValue(tree: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  const inner = Object(tree)[key];
  return { ...Object(tree), [key]: rest.length === 0 ? value : withValue(inner, rest, value) };
}

const word = fc.constantFrom(
  ...[
    'identity',
    'lock',
    'file',
    'trust',
    'ipfilter',
    'use',
    'timeout',
    '800ms',
    'office',
    '1e999',
    '~',
    '__proto__',
  ],
  ...['&a', '*a', '<<', '!!binary', '!!set', '|', '>', '-', ':', '{', '}', '[', ']', ',', '\n', '\n  ', '\t'],
  ...[
    '"',
    "'",
    '#',
    '---',
    '...',
    '%YAML 1.1',
    '? ',
    '!<x>',
    '\u0000',
    '\ufeff',
    '\u2028',
    '0x10',
    '0o7',
    '.inf',
    '2026-01-01',
  ],
);

test(
  'YAML of any form is read or refused with its place',
  fuzz(
    fc.oneof(
      { weight: 3, arbitrary: fc.array(word, { maxLength: 25 }).map((words) => words.join(' ')) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.constantFrom(...texts), fc.array(word, { maxLength: 4 }))
          .map(([text, words]) => `${text}${words.join('')}`),
      },
    ),
    (text, count) => count(typeof read(text) === 'string' ? 'refused' : 'read'),
    { read: 0.03, refused: 0.3 },
  ),
  limitMs,
);

test('aliases that grow without end are refused', () => {
  const levels = Array.from(
    { length: 30 },
    (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(', ')}]`,
  );
  expect(read(['l0: &l0 lol', ...levels].join('\n'))).toContain('alias');
});
