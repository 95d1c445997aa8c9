/** Where a request is in a trace: W3C Trace Context's ids, hex. */
export interface TraceIds {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits: the request to the function, the parent of what the function does. */
  readonly spanId: string;
}

/**
 * The trace of a call, made of its id (32 hex digits or more), so that the id in a log line finds the trace, and every
 * attempt is in the same one.
 */
export function traceIdOf(callId: string): string {
  const hex = callId.slice(0, 32);
  // all zeros means "none" (https://www.w3.org/TR/trace-context/#trace-id)
  return /[^0]/.test(hex) ? hex : `${hex.slice(1)}1`;
}

/** The header `traceparent` of version 00, sampled (https://www.w3.org/TR/trace-context/#traceparent-header). */
export function traceparentOf({ traceId, spanId }: TraceIds): string {
  return `00-${traceId}-${spanId}-01`;
}
