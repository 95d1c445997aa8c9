import { families } from './families.ts';
import { bucketBoundsS, type Labels, type Sample } from './registry.ts';

/** What every name begins with. */
export const prefix = 'sftpgo_serverless_';

/** The media type of {@link prometheusText}. */
export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Figures in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). Takes them ordered by family.
 */
export function prometheusText(samples: readonly Sample[]): string {
  const lines: string[] = [];
  let current: string | undefined;
  for (const { family, labels, value } of samples) {
    const name = prefix + family;
    if (family !== current) {
      const { type, help } = families[family];
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      current = family;
    }
    if (typeof value === 'number') {
      lines.push(`${name}${labelText(labels)} ${value}`);
      continue;
    }
    let cumulated = 0;
    for (const [index, count] of value.buckets.entries()) {
      cumulated += count;
      const le = String(bucketBoundsS[index] ?? '+Inf');
      lines.push(`${name}_bucket${labelText({ ...labels, le })} ${cumulated}`);
    }
    lines.push(
      `${name}_sum${labelText(labels)} ${value.sumS}`,
      `${name}_count${labelText(labels)} ${value.count}`,
    );
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
