import type { ConnectCode } from '../../proto/codes.ts';
import type { Outcome } from './plugin.ts';

/** An outcome that is an error: its text is seen by the adapter's debug log only. */
export function refusal(code: ConnectCode, message: string, facts: Outcome['facts'] = {}): Outcome {
  return { refusal: { code, message }, facts };
}
