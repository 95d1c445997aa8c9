import { create, type DescMethod, type MessageInitShape } from '@bufbuild/protobuf';
import { FunctionClock } from '../../adapter/invoke/clock.ts';
import type { Connection, Log } from '../../adapter/invoke/connection.ts';
import type { Call, Evidence, Target, Trace } from '../../adapter/shapes.ts';
import { claimedVerifier } from '../../adapter/targets/https/evidence.ts';
import { httpsTarget } from '../../adapter/targets/https/index.ts';
import type { PrivateJwk } from '../../proto/keys/jwk.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { type CallTraits, pluginTypes } from '../../proto/plugin-types.ts';
import { nodeCrypto, nodeSigningKey, nodeVerifyingKey } from '../../proto/signature/node.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { sourceBuildId } from './function-server.ts';
import { publicOf } from './keys.ts';

/** One line of a {@link recordingLog}: its level and everything it says, fields included. */
export interface Line {
  readonly level: keyof Log;
  readonly text: string;
}

/** A log that a test reads. */
export function recordingLog(): Log & { readonly lines: readonly Line[] } {
  const lines: Line[] = [];
  const at =
    (level: keyof Log) =>
    (message: string, fields: Readonly<Record<string, string>> = {}) => {
      lines.push({
        level,
        text: [message, ...Object.entries(fields).map((pair) => pair.join('='))].join(' '),
      });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A locked ipfilter function. */
export function lockedFunction(
  address: string,
  functionKey: PrivateJwk,
  version = sourceBuildId,
): LockedFunction {
  return {
    type: 'ipfilter',
    target: 'https',
    address,
    handles: ['CheckIP', 'Reload'],
    accepts: [{ version, files: {}, config: {}, inputs: {} }],
    keys: [publicOf(functionKey)],
  };
}

/** A connection to a function as a role would make it. */
export function connectionTo(
  url: string,
  keys: { readonly adapterKey: PrivateJwk; readonly functionKey: PrivateJwk },
  options: {
    readonly version?: string;
    readonly require?: Evidence;
    readonly caPem?: string;
    readonly log?: Log;
    readonly target?: Target;
  } = {},
): Connection {
  const locked = lockedFunction(url, keys.functionKey, options.version);
  return {
    functionName: 'office@live',
    target: options.target ?? httpsTarget(url, { caPem: options.caPem }),
    verifier: claimedVerifier('office@live', locked, async () => ({})),
    require: options.require ?? 'claimed',
    signingKey: nodeSigningKey(keys.adapterKey),
    keys: keyRing(locked.keys.map((key) => nodeVerifyingKey(key))),
    crypto: nodeCrypto,
    clock: new FunctionClock(),
    log: options.log ?? recordingLog(),
  };
}

/** One call as `serve` makes it. */
export function callOf<M extends DescMethod>(
  method: M,
  input: MessageInitShape<M['input']>,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly trace?: Trace } = {},
): Call {
  const { timeoutMs = 10_000, signal = new AbortController().signal, trace } = options;
  return {
    method,
    traits: traitsOf(method),
    input: create(method.input, input),
    id: '0123456789abcdef0123456789abcdef',
    deadlineMs: performance.now() + timeoutMs,
    signal,
    ...(trace ? { trace } : {}),
  };
}

function traitsOf(method: DescMethod): CallTraits {
  for (const { service, calls } of Object.values(pluginTypes)) {
    const found = (calls as Readonly<Record<string, CallTraits>>)[method.localName];
    if (service.typeName === method.parent.typeName && found) return found;
  }
  throw new Error(`no traits of ${method.name}`);
}
