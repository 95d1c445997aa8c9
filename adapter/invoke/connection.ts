import type { KeyRing, SignatureCrypto, SigningKey } from '../../proto/signature/port.ts';
import type { Evidence, Target, Verifier } from '../shapes.ts';
import type { FunctionClock } from './clock.ts';

/** Where the steps say what an operator should know; a subset of goplugin's HclogWriter. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, string>>): void;
  info(message: string, fields?: Readonly<Record<string, string>>): void;
  warn(message: string, fields?: Readonly<Record<string, string>>): void;
  error(message: string, fields?: Readonly<Record<string, string>>): void;
}

/** All that the seven steps of a call share about one function. */
export interface Connection {
  /** `name@stage`: goes into plugin-function. */
  readonly functionName: string;
  readonly target: Target;
  readonly verifier: Verifier;
  /** The weakest evidence that is enough. */
  readonly require: Evidence;
  /** The adapter's own key. */
  readonly signingKey: SigningKey;
  /** The keys that may sign this function's answers, and no other's. */
  readonly keys: KeyRing;
  readonly crypto: SignatureCrypto;
  readonly clock: FunctionClock;
  readonly log: Log;
}
