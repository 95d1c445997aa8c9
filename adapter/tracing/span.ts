import { randomBytes } from 'node:crypto';
import { PluginError } from '../../proto/error.ts';
import type { Call, Handler } from '../shapes.ts';
import { type TraceIds, traceIdOf, traceparentOf } from './traceparent.ts';

/** One finished request to a function. Nothing of its content. */
export interface Span extends TraceIds {
  /** `proto.IPFilter/CheckIP`. */
  readonly name: string;
  /** Unix time in nanoseconds, decimal. */
  readonly startNs: string;
  readonly endNs: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The error's code; absent for a success. A denial is one. */
  readonly error?: string;
}

/** Makes a span of each request to a function, and tells the function whose child it is. `keep` must not throw. */
export function traced(
  next: Handler,
  { functionName, target }: { readonly functionName: string; readonly target: string },
  keep: (span: Span) => void,
): Handler {
  return async (call) => {
    const startNs = nowNs();
    const ids = { traceId: traceIdOf(call.id), spanId: randomBytes(8).toString('hex') };
    const span = (code: string | undefined): Span => ({
      ...ids,
      name: `${call.method.parent.typeName}/${call.method.name}`,
      startNs,
      endNs: nowNs(),
      attributes: attributesOf(call, functionName, target),
      ...(code === undefined || code === 'DENIED' ? {} : { error: code }),
    });
    try {
      const reply = await next({ ...call, traceparent: traceparentOf(ids) });
      keep(span(undefined));
      return reply;
    } catch (error) {
      keep(span(error instanceof PluginError ? error.code : 'INTERNAL'));
      throw error;
    }
  };
}

/** Names of OpenTelemetry's conventions for RPC (https://opentelemetry.io/docs/specs/semconv/rpc/). */
function attributesOf(call: Call, functionName: string, target: string): Readonly<Record<string, string>> {
  return {
    'rpc.system': 'connect_rpc',
    'rpc.service': call.method.parent.typeName,
    'rpc.method': call.method.name,
    'sftpgo.function': functionName,
    'sftpgo.target': target,
  };
}

function nowNs(): string {
  return String(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n);
}
