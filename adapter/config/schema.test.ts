import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { parseConfig } from './parse.ts';
import { configJsonSchema } from './schema.ts';
import { parseDurationMs } from './units.ts';

/** The example of docs and design, as far as its sections exist. */
const example = `
# yaml-language-server: $schema=./adapter.schema.json
identity: adapter.key.json
lock: { file: bundles.lock.json, onExpired: serve }
trust: { file: lock-signers.jwks.json, threshold: 1 }
state: /var/lib/sftpgo/serverless
https: { ca: private-ca.pem }
ipfilter: { use: office, timeout: 800ms, onUnavailable: deny, cache: { entries: 100000, staleIfError: 1h } }
`;

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly enum?: readonly unknown[];
}

test('the example is a configuration', () => {
  expect(parseConfig(example, 'serverless.yaml')).toMatchObject({
    state: '/var/lib/sftpgo/serverless',
    ipfilter: { use: 'office@live', timeout: 800, cache: { staleIfError: 3_600_000 } },
  });
});

test('the JSON Schema accepts the example, and refuses what the adapter refuses', () => {
  const schema = z.fromJSONSchema({ ...configJsonSchema() });
  const given = parse(example);
  expect(schema.safeParse(given)).toMatchObject({ success: true });
  for (const wrong of [{ ipfiltr: {} }, { identity: 5 }, { ipfilter: { use: 'office', timeout: 800 } }]) {
    expect(schema.safeParse({ ...given, ...wrong })).toMatchObject({ success: false });
  }
});

test('the JSON Schema speaks of what people write: durations are text, defaults need not be there', () => {
  const schema: Schema = configJsonSchema();
  expect(schema.required).toEqual(['identity', 'lock', 'trust']);
  const ipfilter = schema.properties?.['ipfilter'];
  expect(ipfilter?.required).toEqual(['use']);
  expect(ipfilter?.properties?.['timeout']?.type).toBe('string');
  expect(ipfilter?.properties?.['onUnavailable']?.enum).toEqual(['deny', 'allow']);
});

test('every key is described, and no unknown one allowed, so that an editor can help', () => {
  const lacking: string[] = [];
  const walk = (path: string, schema: Schema) => {
    if (path !== '' && path !== '$schema' && schema.description === undefined) lacking.push(path);
    if (schema.properties === undefined) return;
    if (schema.additionalProperties !== false) lacking.push(`${path}: additionalProperties`);
    for (const [key, value] of Object.entries(schema.properties))
      walk(path === '' ? key : `${path}.${key}`, value);
  };
  walk('', configJsonSchema());
  expect(lacking).toEqual([]);
});

test.each([
  ['0ms', 0],
  ['800ms', 800],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['', undefined],
  ['5', undefined],
  ['5 s', undefined],
  ['-5s', undefined],
  ['1.5s', undefined],
  ['5S', undefined],
  ['5min', undefined],
])('"%s" is %s ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});
