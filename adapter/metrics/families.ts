/** What one figure is, in the words of its HELP line. */
export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

/**
 * Every figure of the adapter, without the prefix `sftpgo_serverless_`. Units are in the names: seconds, bytes
 * (https://prometheus.io/docs/practices/naming/). docs/metrics.md lists them.
 */
export const families = {
  calls_total: { type: 'counter', help: 'Calls of the host that were answered, by outcome.' },
  call_seconds: { type: 'histogram', help: 'From a call of the host to its answer.' },
  function_seconds: {
    type: 'histogram',
    help: 'From sending a request to a function until its answer is in, or it failed.',
  },
  refused_total: { type: 'counter', help: 'Calls that a check refused, by the check.' },
  retries_total: { type: 'counter', help: 'Requests that were sent a second time.' },
  breaker_opened_total: {
    type: 'counter',
    help: 'How often the function was not asked any more for a moment.',
  },
  breaker_open: { type: 'gauge', help: '1 while calls fail at once because the function failed too often.' },
  in_flight: { type: 'gauge', help: 'Calls of the host that wait for their answer.' },
  ipfilter_cache: { type: 'counter', help: 'How the memory of verdicts answered a CheckIP.' },
  ipfilter_clamped: {
    type: 'counter',
    help: 'Scopes and lifetimes of a function that were cut to what is allowed.',
  },
  ipfilter_local: { type: 'counter', help: 'CheckIPs that were decided without a function.' },
  ipfilter_on_unavailable: { type: 'counter', help: 'CheckIPs that onUnavailable decided.' },
  serving: {
    type: 'gauge',
    help: '1 while calls are answered; 0 while files or deployed code are not in order.',
  },
  lock_seq: { type: 'gauge', help: 'seq of the lock in force.' },
  lock_expires_timestamp_seconds: {
    type: 'gauge',
    help: 'When the lock expires, Unix time; absent if it never does.',
  },
  evidence_age_seconds: { type: 'gauge', help: 'Since an answer last proved what is deployed.' },
  spans_dropped_total: { type: 'counter', help: 'Spans that could not be exported.' },
  start_timestamp_seconds: { type: 'gauge', help: 'When this process started, Unix time.' },
  resident_memory_bytes: { type: 'gauge', help: 'Resident memory of this process.' },
  open_fds: { type: 'gauge', help: 'Open file descriptors of this process (Linux).' },
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof families;

/** Is there a figure of this name? */
export function isFamilyName(name: string): name is FamilyName {
  return Object.hasOwn(families, name);
}
