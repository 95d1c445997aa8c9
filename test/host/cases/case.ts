import { type HostKind, sdkKinds } from '../build.ts';

/** One call of a method of the SDK's client, and what must come of it. */
export interface Step {
  /** Absent: the case's own. */
  readonly method?: string;
  readonly args: readonly unknown[];
  /** What the function's handler gets, exactly; absent: not looked at. */
  readonly arrives?: object;
  /** grpc-go's name of the code; absent: OK. */
  readonly code?: string;
  /** What the method returns beside the error; absent: nothing. */
  readonly returns?: readonly unknown[];
}

/** One RPC, driven twice: with a call that is accepted and one that is refused. */
export interface RpcCase {
  /** As in the .proto file. */
  readonly rpc: string;
  /** The SDK's name of it. */
  readonly method: string;
  readonly accepted: readonly Step[];
  /** The last one has a code. */
  readonly refused: readonly Step[];
}

/** Is this host's SDK the same as that one's, or newer? */
export function isSince(kind: HostKind, first: HostKind): boolean {
  return sdkKinds.indexOf(kind) <= sdkKinds.indexOf(first);
}

/** Text as the driver shows `[]byte`. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
