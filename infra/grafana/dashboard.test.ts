import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { families, isFamilyName } from '../../adapter/metrics/families.ts';
import { prefix } from '../../adapter/metrics/prometheus.ts';

const text = readFileSync(join(import.meta.dirname, 'dashboard.json'), 'utf8');

test('every panel asks for figures that the adapter has, histograms by their buckets', () => {
  const { panels }: { panels: { title: string; targets: { expr: string }[] }[] } = JSON.parse(text);
  const asked = panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) =>
      [...expr.matchAll(new RegExp(`${prefix}(\\w+)`, 'g'))].map(([, name = '']) => name),
    ),
  );
  expect(asked.length).toBeGreaterThanOrEqual(panels.length);
  for (const name of asked) {
    const family = name.replace(/_bucket$/, '');
    if (!isFamilyName(family)) throw new Error(`no figure ${name}`);
    expect(families[family].type === 'histogram').toBe(name.endsWith('_bucket'));
  }
});

test('what is counted by target can be looked at by target', () => {
  const expressions = [...text.matchAll(/"expr": "(.*)"/g)].map(([, expr = '']) => expr);
  const counted = expressions.filter((expr) =>
    /_(calls_total|call_seconds_bucket|refused_total|function_seconds_bucket)\{/.test(expr),
  );
  expect(counted.length).toBeGreaterThanOrEqual(5);
  expect(counted.filter((expr) => !expr.includes('target=~\\"$target\\"'))).toEqual([]);
  expect(text).toContain('label_values(sftpgo_serverless_calls_total, target)');
});
