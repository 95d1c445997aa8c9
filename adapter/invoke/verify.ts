import { PluginError } from '../../proto/error.ts';
import { pluginHeaders } from '../../proto/facts.ts';
import { verifyAnswer } from '../../proto/signature/verify-answer.ts';
import type { HttpAnswer, HttpMessage } from '../shapes.ts';
import type { Connection } from './connection.ts';
import { ThrottledError } from './throttled.ts';

/** An answer's skew beyond which the operator is told; it decides nothing (docs/architecture.md, "Time"). */
const reportedSkewS = 5;

/** What a verified answer said of itself. */
export interface Verified {
  readonly keyid: string;
  /** The verified plugin-* headers, lower-case names, none empty. */
  readonly plugin: ReadonlyMap<string, string>;
}

/**
 * Step 5: is this answer the function's own, to this very request?
 *
 * Throws ANSWER_UNSIGNED or ANSWER_REFUSED; UNREACHABLE for the unsigned hint that our key is unknown there;
 * CLOCK_SKEW when the function, signed, refused the request for its time (nothing ran).
 */
export async function verify(
  connection: Connection,
  message: HttpMessage,
  answer: HttpAnswer,
): Promise<Verified> {
  const { functionName, keys, crypto, clock, log } = connection;
  let verified: Awaited<ReturnType<typeof verifyAnswer>>;
  try {
    verified = await verifyAnswer(answer, { request: { method: 'POST', ...message }, keys, crypto });
  } catch (error) {
    answer.discard?.();
    const unsigned = error instanceof PluginError && error.code === 'ANSWER_UNSIGNED';
    if (unsigned && answer.status === 429) throw new ThrottledError(functionName, error);
    if (unsigned && answer.status === 401) {
      log.warn('a function answered 401, unsigned: it may not know the key of this adapter', {
        function: functionName,
        keyid: connection.signingKey.keyid,
        remedy: 'add the public key that `keys list` prints to PLUGIN_CALLERS of the function',
      });
      throw new PluginError('UNREACHABLE', {
        happened: `${functionName} answered 401 without a signature`,
        expected: 'a signed answer',
        remedy: 'Check that the function knows the key of this adapter (PLUGIN_CALLERS).',
        cause: error,
      });
    }
    throw error;
  }
  const skewS = clock.skewS(verified.createdS);
  if (verified.plugin.get(pluginHeaders.refused) === 'time') {
    const corrected = clock.correct(verified.createdS);
    throw new PluginError('CLOCK_SKEW', {
      happened: `${functionName} refused the request for its time; its clock is ${skewS} s from ours`,
      expected: 'clocks that differ by at most 30 s',
      remedy: corrected
        ? 'Set the clock of this machine by NTP.'
        : 'Set both clocks by NTP: over 5 minutes, the adapter does not follow the function.',
    });
  }
  if (Math.abs(skewS) > reportedSkewS && clock.reportDue()) {
    log.warn('the clocks of this machine and of a function differ', {
      function: functionName,
      skew: `${skewS}s`,
    });
  }
  return { keyid: verified.keyid, plugin: verified.plugin };
}
