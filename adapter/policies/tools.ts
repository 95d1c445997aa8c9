import type { Log } from '../invoke/connection.ts';

/** What a policy may use beside its section. */
export interface PolicyTools {
  /** `name@stage`: the function that the calls go to. */
  readonly functionName: string;
  readonly log: Log;
}
