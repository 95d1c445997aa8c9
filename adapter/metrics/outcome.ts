import { type ErrorCode, PluginError } from '../../proto/error.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import type { Trace } from '../shapes.ts';
import type { Metrics } from './registry.ts';

/** What became of a call, in one word. Every call has exactly one, so that they add up. */
export type CallOutcome =
  | 'ok'
  | 'denied'
  | 'cached'
  | 'stale'
  | 'local'
  | 'shed'
  | 'unreachable'
  | 'refused'
  | 'function-error'
  | 'invalid';

/** A target of the lock; `none` while no files are in force. */
export type CallTarget = LockedFunction['target'] | 'none';

const outcomes: Readonly<Partial<Record<ErrorCode, CallOutcome>>> = {
  OVERLOADED: 'shed',
  UNREACHABLE: 'unreachable',
  DEADLINE: 'unreachable',
  FUNCTION_ERROR: 'function-error',
  INPUT_INVALID: 'invalid',
};

/** Who answered in place of the function; a denial out of the memory is `cached` as well. */
function byWhom(answeredBy: string | undefined): CallOutcome | undefined {
  if (answeredBy === undefined) return undefined;
  if (answeredBy === 'cache, stale') return 'stale';
  if (answeredBy.startsWith('cache')) return 'cached';
  return 'local';
}

/** The outcome of a call that ended so; `error` is undefined for a reply. */
export function outcomeOf(error: unknown, trace: Trace): CallOutcome {
  const code = error instanceof PluginError ? error.code : 'INTERNAL';
  if (error === undefined) return byWhom(trace.answeredBy) ?? 'ok';
  if (code === 'DENIED') return byWhom(trace.answeredBy) ?? 'denied';
  return outcomes[code] ?? 'refused';
}

/** An answered call, as figures have it. */
export interface AnsweredCall {
  readonly rpc: string;
  /** From the host's call to its answer. */
  readonly ms: number;
  readonly trace: Trace;
  /** Undefined for a reply. */
  readonly error: unknown;
}

/** Counts one answered call. `target`: where the function in force is, asked or not. */
export function countCall(metrics: Metrics, target: CallTarget, call: AnsweredCall): void {
  const { rpc, ms, trace, error } = call;
  const outcome = outcomeOf(error, trace);
  metrics.count('calls_total', { rpc, target, outcome });
  metrics.observe('call_seconds', ms / 1000, { rpc, target });
  if (outcome === 'refused') {
    const check = error instanceof PluginError ? error.code : 'INTERNAL';
    metrics.count('refused_total', { rpc, target, check });
  }
}
