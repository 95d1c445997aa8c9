import type { Outcome } from './plugin.ts';

/** setTimeout takes 31 bits of milliseconds. */
const maxTimerMs = 2_147_483_647;

/**
 * Runs a handler until the deadline, an instant on the `Date.now()` scale: then its signal aborts and `late` is
 * the outcome, whether the handler heeds the signal or not. `run` must not reject.
 */
export async function runUntil(
  deadlineMs: number,
  run: (signal: AbortSignal) => Promise<Outcome>,
  late: Outcome,
): Promise<Outcome> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<Outcome>((resolve) => {
    const expire = () => {
      resolve(late);
      controller.abort(new DOMException('the deadline of the call has passed', 'TimeoutError'));
    };
    timer = setTimeout(expire, Math.min(Math.max(0, deadlineMs - Date.now()), maxTimerMs));
  });
  try {
    return await Promise.race([run(controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}
