import type { Log } from '../invoke/connection.ts';

/** Adds one to the counter of this name and these labels. Labels have few values: no address, no name of a user. */
export type Count = (name: string, labels?: Readonly<Record<string, string>>) => void;

/** What a policy may use beside its section. */
export interface PolicyTools {
  /** `name@stage`: the function that the calls go to. */
  readonly functionName: string;
  readonly log: Log;
  readonly count?: Count;
  /** A figure that is read when somebody asks for it; the last one of a name counts. */
  readonly gauge?: (name: 'breaker_open', read: () => number) => void;
}
