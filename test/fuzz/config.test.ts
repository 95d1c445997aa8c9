import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../adapter/config/parse.ts';
import { PluginError } from '../../proto/error.ts';
import { damaged, limitMs, parameters } from './runs.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/config.md'), 'utf8');
/** Without its comments, which would take most of the damage. */
const example = new TextEncoder().encode(
  (/```yaml\n(.*?)```/s.exec(page)?.[1] ?? '').replaceAll(/ *#.*$/gm, ''),
);

/** A configuration, or CONFIG_INVALID with a place: nothing else, whatever the text is. */
function read(text: string): void {
  try {
    expect(parseConfig(text, 'fuzz.yaml').identity).not.toBe('');
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.happened).toMatch(/^fuzz\.yaml/);
  }
}

test(
  'a damaged configuration is read or refused with its place',
  () => {
    const property = fc.property(damaged(example), (bytes) => read(new TextDecoder().decode(bytes)));
    fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'YAML of any form is read or refused with its place',
  () => {
    const word = fc.constantFrom(
      'identity',
      'lock',
      'file',
      'trust',
      'ipfilter',
      'use',
      'timeout',
      '&a',
      '*a',
      '<<',
      '!!binary',
      '!!set',
      '|',
      '>',
      '-',
      ':',
      '{',
      '}',
      '[',
      ']',
      ',',
      '\n',
      '\n  ',
      '\t',
      '"',
      "'",
      '#',
      '---',
      '...',
      '%YAML 1.1',
      '800ms',
      'office',
      '1e999',
      '~',
      '__proto__',
    );
    const property = fc.property(fc.array(word, { maxLength: 40 }), (words) => read(words.join(' ')));
    fc.assert(property, parameters);
  },
  limitMs,
);

test('aliases that grow without end are refused', () => {
  const levels = Array.from(
    { length: 30 },
    (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(', ')}]`,
  );
  read(['l0: &l0 lol', ...levels].join('\n'));
});
