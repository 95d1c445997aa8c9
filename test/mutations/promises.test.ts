import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');

/** The rows of the table of docs/security.md that begins with this head. */
function tableAfter(head: string): (readonly string[])[] {
  const [, text = ''] = page.split(`${head}\n`);
  const [table = ''] = text.split('\n\n');
  const rows = table.split('\n').slice(1);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const attackers = tableAfter('| who | what is promised | what is not |');
const promises = tableAfter('| against | promise | held by |');

/** `path "a title", "another"`: what a cell names, in its order. */
function testsOf(cell: string): { readonly file: string; readonly titles: readonly string[] }[] {
  return cell.split(/; (?=\S+\.test\.ts)/).map((part) => ({
    file: /^[\w./-]+/.exec(part)?.[0] ?? '',
    titles: [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
  }));
}

test('who is promised something stands in the table of what holds it, and nobody else', () => {
  expect(attackers.length).toBeGreaterThanOrEqual(10);
  const [who = '', promised = ''] = [0, 1].map((at) => attackers.map((row) => row[at]).join('\n'));
  expect(promised).not.toBe('');
  const unheld = attackers.filter(
    ([name = '', promise]) => promise !== '' && !promises.some(([against = '']) => name.includes(against)),
  );
  expect(unheld.map(([name]) => name)).toEqual([]);
  const unknown = promises.filter(([against = '']) => against !== 'everybody' && !who.includes(against));
  expect(unknown.map(([against]) => against)).toEqual([]);
});

test.each(promises.map(([against, promise, by]) => [`${against}: ${promise}`, by ?? ''] as const))(
  '%s: held by tests that exist',
  (_, by) => {
    const named = testsOf(by);
    const missing = named.flatMap(({ file, titles }) => {
      if (!/\.test\.ts$/.test(file) || !existsSync(join(root, file))) return [`no file ${file}`];
      const source = readFileSync(join(root, file), 'utf8');
      const unknown = titles.filter((title) => !["'", '"', '`'].some((q) => source.includes(q + title + q)));
      return titles.length === 0 ? [`${file}: no test named`] : unknown.map((title) => `${file}: ${title}`);
    });
    expect(named.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  },
);
