import { PluginError } from '../../../proto/error.ts';
import { AnswerError, type Policy } from '../../shapes.ts';
import { HostGaveUpError } from '../shared/deadline.ts';
import { isUnavailable } from '../shared/unavailable.ts';
import { askedAddress } from './local-verdicts.ts';

/** Questions at one time that no function minds. */
const calmQuestions = 16;
/** How long it must have been calm: what a flood left at the function is over by then. The breaker rests for 2 s. */
const calmMs = 1500;
/** How long a failure counts: longer than the breaker's rest and SFTPGo's deadline together. */
const holdsMs = 30_000;

/** Is the function away, or is it only drowned in our questions? */
export interface Outage {
  /** Watches the questions that are really sent: stands below the breaker. */
  readonly policy: Policy;
  /** Has a question failed though there were few, and has nothing been answered since? */
  isConfirmed(): boolean;
}

/** A refusal for the number of questions, ours or the platform's, in whatever words it came. */
export function isOverload(error: unknown): boolean {
  if (!(error instanceof PluginError)) return false;
  return (
    error.code === 'OVERLOADED' ||
    (error instanceof AnswerError && error.connect === 'resource_exhausted') ||
    ('throttled' in error && error.throttled === true)
  );
}

/**
 * Tells an outage from a flood, since whoever can make enough connections can make any function late: a failure
 * counts only if, from 1.5 s before the question until it failed, never more than 16 questions were open. A Reload that
 * fails never counts; a verified answer to one ends an outage as any other.
 */
export function watchOutage(): Outage {
  let open = 0;
  let busyAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  const note = () => {
    if (open > calmQuestions) busyAt = performance.now();
  };
  return {
    isConfirmed: () => performance.now() - failedAt <= holdsMs,
    policy: {
      name: 'outage',
      wrap: (next) => async (call) => {
        const startedAt = performance.now();
        open += 1;
        note();
        try {
          const reply = await next(call);
          failedAt = Number.NEGATIVE_INFINITY;
          return reply;
        } catch (error) {
          note();
          if (error instanceof AnswerError && error.code === 'DENIED') failedAt = Number.NEGATIVE_INFINITY;
          // a Reload fails for one broken list, and the function decides on: only a question counts
          const asked = askedAddress(call) !== undefined;
          const counts =
            asked && isUnavailable(error) && !isOverload(error) && !(error instanceof HostGaveUpError);
          if (counts && startedAt - busyAt >= calmMs) failedAt = performance.now();
          throw error;
        } finally {
          note();
          open -= 1;
        }
      },
    },
  };
}
