import { clone, type Message, toJsonString } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { PluginError } from '../../proto/error.ts';
import { pluginHeaders } from '../../proto/facts.ts';
import { maxRequestBytes } from '../../proto/limits.ts';
import type { Call, HttpMessage } from '../shapes.ts';
import type { Connection } from './connection.ts';

const encoder = new TextEncoder();

/**
 * Step 2: the call as a Connect unary request (https://connectrpc.com/docs/protocol/#unary-request) to the pinned
 * version, without its signature. Fields that the table marks hostOnly are blanked before anything is encoded.
 *
 * Throws DEADLINE when no whole millisecond is left, OVERLOADED for more than a function takes.
 */
export function encode(connection: Connection, call: Call, pinned: string): HttpMessage {
  const { method, traits } = call;
  const timeoutMs = Math.floor(call.deadlineMs - performance.now());
  if (timeoutMs < 1) {
    throw new PluginError('DEADLINE', {
      happened: `no time is left to call ${connection.functionName}`,
      expected: 'an answer within the deadline',
      remedy: 'Look for a slow function or a slow network, or raise the timeout of the section.',
    });
  }
  const input = traits.hostOnly === undefined ? call.input : withoutHostOnly(call, traits.hostOnly);
  const body = encoder.encode(toJsonString(method.input, input));
  if (body.byteLength > maxRequestBytes) {
    throw new PluginError('OVERLOADED', {
      happened: `a request of ${body.byteLength} bytes to ${connection.functionName} was not sent`,
      expected: `at most ${maxRequestBytes} bytes: what a function takes`,
      remedy: 'Make the record in SFTPGo smaller; within the request it is a third longer, by base64.',
    });
  }
  return {
    url: `${connection.target.origin(pinned)}/${method.parent.typeName}/${method.name}`,
    headers: [
      ['content-type', 'application/json'],
      ['accept-encoding', 'identity'],
      ['cache-control', 'no-store, no-transform'],
      ['connect-protocol-version', '1'],
      ['connect-timeout-ms', String(timeoutMs)],
      [pluginHeaders.function, connection.functionName],
      [pluginHeaders.callId, call.id],
      ...(call.headers ?? []),
      ...(call.traceparent === undefined ? [] : [['traceparent', call.traceparent] as const]),
    ],
    body,
  };
}

function withoutHostOnly(call: Call, names: readonly string[]): Message {
  const copy = clone(call.method.input, call.input);
  const view = reflect(call.method.input, copy);
  for (const name of names) {
    const field = view.findNumber(call.method.input.fields.find((known) => known.name === name)?.number ?? 0);
    if (field === undefined) {
      throw new PluginError('INTERNAL', {
        happened: `${call.method.name} has no field ${name} to keep on the host`,
        expected: 'hostOnly names fields of the request',
        remedy: 'Report this: the table of plugin types is wrong.',
      });
    }
    view.clear(field);
  }
  return copy;
}
