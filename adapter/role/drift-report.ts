import type { PluginError } from '../../proto/error.ts';
import type { Log } from '../invoke/connection.ts';
import { onceAMinute } from '../repeated.ts';

/** Who found out what about the deployed code: an answer, or a look at what is deployed. */
export interface DriftReport {
  answered(drift?: PluginError): void;
  looked(drift?: PluginError): void;
}

/**
 * One ERROR line a minute while the code is not the locked one, and one line when it is again. What a look found, only
 * a look takes back: answers of calls that were under way say nothing of what is deployed now.
 */
export function driftReport(
  functionName: string,
  log: Log,
  onProved: (proved: boolean) => void,
): DriftReport {
  const lines = onceAMinute();
  let byAnswer: PluginError | undefined;
  let byLook: PluginError | undefined;
  function tell(): void {
    const drift = byLook ?? byAnswer;
    onProved(drift === undefined);
    if (drift === undefined) {
      if (lines.reset()) log.info('the deployed code is the locked one again', { function: functionName });
    } else if (lines.opensFor(drift.message)) {
      const effect = 'its calls are refused until this is mended';
      log.error(drift.message, { code: drift.code, function: functionName, effect });
    }
  }
  return {
    answered(drift) {
      byAnswer = drift;
      tell();
    },
    looked(drift) {
      byLook = drift;
      if (drift === undefined) byAnswer = undefined;
      tell();
    },
  };
}
