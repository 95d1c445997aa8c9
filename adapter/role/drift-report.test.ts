import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recordingLog } from '../../test/support/invoke.ts';
import { failure } from '../../test/support/policies.ts';
import { type DriftReport, driftReport } from './drift-report.ts';

let log: ReturnType<typeof recordingLog>;
let told: boolean[];
let report: DriftReport;
const drift = failure('DRIFT');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  log = recordingLog();
  told = [];
  report = driftReport('office@live', log, (proved) => told.push(proved));
});
afterEach(() => vi.useRealTimers());

test('one line a minute while it lasts, whatever finds it, and one when it is over', () => {
  report.looked(drift);
  for (let calls = 0; calls < 50; calls += 1) report.answered(drift);
  vi.advanceTimersByTime(59_999);
  report.looked(drift);
  expect(log.lines).toHaveLength(1);
  vi.advanceTimersByTime(1);
  report.looked(drift);
  report.looked();
  report.looked();
  expect(log.lines.map(({ level, text }) => `${level} ${text}`)).toEqual([
    expect.stringMatching(/^error .*code=DRIFT function=office@live effect=its calls are refused/),
    expect.stringMatching(/^error /),
    'info the deployed code is the locked one again function=office@live',
  ]);
});

test('an answer that was under way takes nothing back that a look has found', () => {
  report.looked(drift);
  report.answered();
  expect(told).toEqual([false, false]);
  report.looked();
  expect(told.at(-1)).toBe(true);
});

test('what an answer has found, the next good answer or look takes back', () => {
  report.answered(drift);
  report.answered();
  report.answered(drift);
  report.looked();
  expect(told).toEqual([false, true, false, true]);
});
