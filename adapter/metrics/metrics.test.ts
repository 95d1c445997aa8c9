import { describe, expect, test } from 'vitest';
import { PluginError } from '../../proto/error.ts';
import type { Trace } from '../shapes.ts';
import { isFamilyName } from './families.ts';
import { parseListenAddress } from './listen-address.ts';
import { countCall, outcomeOf } from './outcome.ts';
import { prometheusText } from './prometheus.ts';
import { quantileS } from './quantile.ts';
import { type Histogram, Metrics } from './registry.ts';

const failed = (code: ConstructorParameters<typeof PluginError>[0]) =>
  new PluginError(code, { happened: 'it', expected: 'that', remedy: 'this' });

describe('registry', () => {
  test('counts, observes, and reads gauges when asked', () => {
    const metrics = new Metrics({ type: 'ipfilter' });
    let seq = 7;
    metrics.count('calls_total', { rpc: 'CheckIP', outcome: 'ok' });
    metrics.count('calls_total', { rpc: 'CheckIP', outcome: 'ok' }, 2);
    metrics.gauge('lock_seq', () => seq);
    metrics.gauge('breaker_open', () => undefined);
    seq = 8;
    expect(metrics.samples()).toEqual([
      { family: 'calls_total', labels: { type: 'ipfilter', rpc: 'CheckIP', outcome: 'ok' }, value: 3 },
      { family: 'lock_seq', labels: { type: 'ipfilter' }, value: 8 },
    ]);
  });

  test('a counter that no family names is ignored, one with endless labels is bounded', () => {
    const metrics = new Metrics();
    metrics.count('of_somebody_else');
    for (let n = 0; n < 5000; n += 1) metrics.count('calls_total', { rpc: String(n) });
    expect(metrics.samples()).toHaveLength(2000);
  });

  test('a quantile is the bound of its bucket', () => {
    const metrics = new Metrics();
    for (const seconds of [0.0004, 0.002, 0.002, 30]) metrics.observe('call_seconds', seconds);
    const histogram = metrics.samples()[0]?.value as Histogram;
    expect(quantileS(histogram, 0.5)).toBe(0.0025);
    expect(quantileS(histogram, 0.99)).toBe(Number.POSITIVE_INFINITY);
    expect(quantileS({ buckets: [], sumS: 0, count: 0 }, 0.5)).toBeNaN();
  });
});

describe('Prometheus text', () => {
  test('histograms are cumulated, labels escaped, each family has one head', () => {
    const metrics = new Metrics({ type: 'auth' });
    metrics.observe('call_seconds', 0.0007, { rpc: 'A' });
    metrics.observe('call_seconds', 0.02, { rpc: 'A' });
    metrics.count('calls_total', { rpc: 'a"b\\c\nd', outcome: 'ok' });
    const text = prometheusText(metrics.samples());
    expect(text.match(/^# TYPE .*$/gm)).toEqual([
      '# TYPE sftpgo_serverless_call_seconds histogram',
      '# TYPE sftpgo_serverless_calls_total counter',
    ]);
    expect(text).toContain('sftpgo_serverless_call_seconds_bucket{type="auth",rpc="A",le="0.0005"} 0\n');
    expect(text).toContain('sftpgo_serverless_call_seconds_bucket{type="auth",rpc="A",le="0.001"} 1\n');
    expect(text).toContain('sftpgo_serverless_call_seconds_bucket{type="auth",rpc="A",le="+Inf"} 2\n');
    expect(text).toContain('sftpgo_serverless_call_seconds_count{type="auth",rpc="A"} 2\n');
    expect(text).toContain(
      'sftpgo_serverless_calls_total{type="auth",rpc="a\\"b\\\\c\\nd",outcome="ok"} 1\n',
    );
    expect(prometheusText([])).toBe('');
  });
});

describe('outcomes', () => {
  const cases: readonly (readonly [string, unknown, Trace])[] = [
    ['ok', undefined, {}],
    ['cached', undefined, { answeredBy: 'cache' }],
    ['cached', undefined, { answeredBy: 'cache, being revalidated' }],
    ['stale', undefined, { answeredBy: 'cache, stale' }],
    ['local', undefined, { answeredBy: 'always-allow' }],
    ['local', undefined, { answeredBy: 'on-unavailable' }],
    ['denied', failed('DENIED'), {}],
    ['cached', failed('DENIED'), { answeredBy: 'cache' }],
    ['shed', failed('OVERLOADED'), {}],
    ['unreachable', failed('UNREACHABLE'), {}],
    ['unreachable', failed('DEADLINE'), {}],
    ['function-error', failed('FUNCTION_ERROR'), {}],
    ['invalid', failed('INPUT_INVALID'), {}],
    ['refused', failed('ANSWER_REFUSED'), {}],
    ['refused', failed('DRIFT'), {}],
    ['refused', failed('LOCK_INVALID'), {}],
    ['refused', new Error('of ours'), {}],
  ];
  test.each(cases)('%s', (outcome, error, trace) => {
    expect(outcomeOf(error, trace)).toBe(outcome);
  });

  test('every call is counted once, and a refused one says by which check', () => {
    const metrics = new Metrics();
    for (const [, error] of cases) countCall(metrics, 'lambda', { rpc: 'CheckIP', ms: 2, trace: {}, error });
    const samples = metrics.samples();
    const sum = (family: string) =>
      samples.reduce(
        (all, each) => all + (each.family === family && typeof each.value === 'number' ? each.value : 0),
        0,
      );
    expect(sum('calls_total')).toBe(cases.length);
    expect(sum('refused_total')).toBe(4);
    expect(new Set(samples.map(({ labels }) => labels['target']))).toEqual(new Set(['lambda']));
    const checks = samples
      .filter(({ family }) => family === 'refused_total')
      .map(({ labels }) => labels['check']);
    expect(checks).toEqual(['ANSWER_REFUSED', 'DRIFT', 'LOCK_INVALID', 'INTERNAL']);
    const seconds = samples.find(({ family }) => family === 'call_seconds')?.value as Histogram;
    expect(seconds.sumS).toBeCloseTo(cases.length * 0.002);
  });
});

describe('where figures are served', () => {
  test.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['unix:/run/sftpgo/metrics.sock', { path: '/run/sftpgo/metrics.sock' }],
  ])('%s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  test.each([
    '0.0.0.0:9464',
    '192.0.2.1:9464',
    ':9464',
    '[::]:9464',
    '127.0.0.1:0',
    '127.0.0.1:70000',
    'unix:relative',
    '',
  ])('not at %s', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});

test('family names are unique words of their own', () => {
  expect(isFamilyName('calls_total')).toBe(true);
  expect(isFamilyName('toString')).toBe(false);
});
