import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { parseConfig } from '../../adapter/config/parse.ts';
import { type Config, configJsonSchema } from '../../adapter/config/schema.ts';
import { isSectionName, policiesOf } from '../../adapter/policies/index.ts';
import { kmsOptionsOf } from '../../adapter/policies/kms/config.ts';
import { fencedBlocks } from './blocks.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Our own sources, with comments joined to one line each. */
const sources = ['adapter', 'functions', 'infra', 'proto', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?<!_pb)\.ts$/.test(name) && !name.includes('node_modules'))
    .map((name) => ({ path: join(folder, name), text: read(join(folder, name)).replace(/\n\s*\* ?/g, ' ') })),
);

/** The headings of a page, and their anchors as GitHub makes them. */
function headingsOf(page: string): { titles: string[]; anchors: string[] } {
  const titles = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  return {
    titles,
    anchors: titles.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  };
}

const [example] = fencedBlocks(read('docs/config.md')).filter(({ language }) => language === 'yaml');

describe('docs/deploy.md', () => {
  const page = read('docs/deploy.md');
  const explained = [...page.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w.]+)/g)].map(([, name = '']) => name.split('.')[0]),
  );
  const shown = fencedBlocks(page);
  const lambda = shown.find(({ info, text }) => info === 'serverless.yml' && text.includes('resources:'));
  const worker = shown.find(({ info }) => info === 'office.wrangler.jsonc');

  /** Names with a value of their own; which functions there are, and what CloudFormation gets, stand elsewhere. */
  function settingsIn(value: unknown): string[] {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    return Object.entries(value).flatMap(([name, inner]) => {
      const names = settingsIn(inner);
      return names.length === 0 ? [name] : names;
    });
  }

  test.each([
    ['its serverless.yml', lambda?.text ?? ''],
    ["the repository's", read('serverless.yml')],
  ])('every setting of %s has a line that explains it', (_, text) => {
    const { custom: __, resources: ___, ...settings } = parseYaml(text, { logLevel: 'silent' });
    const names = settingsIn(settings);
    expect(names.length).toBeGreaterThan(10);
    expect([...new Set(names)].filter((name) => !explained.includes(name))).toEqual([]);
  });

  test("and so has every line of the Worker's", () => {
    const names = Object.keys(JSON.parse(worker?.text ?? '{}'));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !explained.includes(name))).toEqual([]);
  });
});

describe('docs/config.md', () => {
  test('the example is a configuration', () => {
    const config = parseConfig(example?.text ?? '', 'example.yaml');
    expect(config.ipfilter).toMatchObject({ use: 'office@live', timeout: 800 });
  });

  test('the defaults in the example are the defaults', () => {
    const shown = parseConfig(example?.text ?? '', 'example.yaml');
    const least = parseConfig(
      'identity: a\nlock: { file: b }\ntrust: { file: c }\nlocal: {}\nipfilter: { use: office }\n' +
        'auth: { use: team }\nkms: { use: vault }\nnotifier: { use: events, instance: node1 }',
      'least.yaml',
    );
    const defaultsOf = ({ lock, trust, local, ipfilter, auth, kms, notifier }: Config) => ({
      lock: lock.onExpired,
      trust: trust.threshold,
      local,
      ipfilter: { ...ipfilter, timeout: '' },
      auth: [auth?.send, auth?.ceiling.onExcess, auth?.keyboardInteractive],
      kms: [kms?.scheme, kms && kmsOptionsOf(kms), kms?.decryptCache],
      notifier: { ...notifier, integrity: '' },
    });
    expect(defaultsOf(shown)).toEqual(defaultsOf(least));
  });

  test('the table has every key', () => {
    const rows = [...read('docs/config.md').matchAll(/^\| `([\w.$]+)` \|/gm)].map(([, key]) => key);
    expect(rows.toSorted()).toEqual(keysOf(configJsonSchema()).toSorted());
  });
});

/** The dotted names of a JSON Schema's leaves. */
function keysOf(schema: unknown, prefix = ''): string[] {
  const properties: Record<string, unknown> | undefined = Object(schema).properties;
  if (properties === undefined) return [prefix];
  return Object.entries(properties).flatMap(([key, inner]) =>
    keysOf(inner, prefix === '' ? key : `${prefix}.${key}`),
  );
}

test('docs/architecture.md names the policies of each type, outermost first', () => {
  const [, section = ''] = read('docs/architecture.md').split('## Policies');
  const config = parseConfig(example?.text ?? '', 'example.yaml');
  const rows = (Object.keys(config) as (keyof Config)[]).filter(isSectionName).map((type) => {
    const policies = policiesOf(type, config[type] as NonNullable<Config[typeof type]>);
    return `| ${type} | ${policies.map(({ name }) => name).join(', ')} |`;
  });
  expect(rows).toHaveLength(6);
  expect(section.split('\n')).toEqual(expect.arrayContaining(rows));
});

test('what the code says about a page of docs is there', () => {
  const references = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![\w/.])docs\/(\w+\.md)(?:, "([^"]+)")?/g)].map(([whole, page, heading]) => ({
      whole: `${path}: ${whole}`,
      page: `docs/${page}`,
      heading,
    })),
  );
  expect(references.length).toBeGreaterThan(10);
  const missing = references.filter(
    ({ page, heading }) =>
      !pages.includes(page) || (heading !== undefined && !headingsOf(page).titles.includes(heading)),
  );
  expect(missing.map(({ whole }) => whole)).toEqual([]);
});

test.each(pages)('the links of %s lead somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
    ([, inline, reference]) => inline ?? reference ?? '',
  );
  const dead = links.filter((link) => {
    if (/^https:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !headingsOf(target).anchors.includes(anchor);
  });
  expect(dead).toEqual([]);
});

test('the log lines of the troubleshooting table are lines of this program', () => {
  const table = read('docs/sftpgo.md').split('## Troubleshooting')[1] ?? '';
  const own = [...table.matchAll(/^\| (`.+?) \|/gm)]
    .map(([, cell = '']) => cell)
    .filter((cell) => !cell.endsWith('(SFTPGo)'));
  expect(own.length).toBeGreaterThan(15);
  const code = sources
    .filter(({ path }) => !path.startsWith('test/'))
    .map(({ text }) => text.replace(/' \+\s*'/g, ''))
    .join('\n');
  const unknown = own
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, line = '']) => line.split('…')))
    .filter((part) => part.trim().length > 3 && !code.includes(part.trim()));
  expect(unknown).toEqual([]);
});
