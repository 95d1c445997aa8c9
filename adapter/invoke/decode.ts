import { fromJsonString, type Message } from '@bufbuild/protobuf';
import { type ConnectCode, isConnectCode } from '../../proto/codes.ts';
import { PluginError } from '../../proto/error.ts';
import { formatReason } from '../../proto/facts.ts';
import { AnswerError, type Call, type Facts, type HttpAnswer, type Reply } from '../shapes.ts';

/** RFC 8259 forbids a byte order mark; with `fatal`, bytes that are no UTF-8 are refused too. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function invalid(call: Call, happened: string, expected: string, cause?: unknown): PluginError {
  return new PluginError('ANSWER_INVALID', {
    happened: `the answer to ${call.method.parent.typeName}/${call.method.name} ${happened}`,
    expected,
    remedy: 'Correct the function: its signature is good, its content is not.',
    cause,
  });
}

function textOf(call: Call, answer: HttpAnswer): string {
  try {
    return decoder.decode(answer.body);
  } catch (cause) {
    throw invalid(call, 'is not UTF-8', 'a JSON body', cause);
  }
}

/**
 * Step 7: the verified answer as a message, or as the error it carries
 * (https://connectrpc.com/docs/protocol/#unary-response).
 *
 * Throws DENIED for permission_denied on a verdict call, FUNCTION_ERROR for every other signed error, and
 * ANSWER_INVALID for content that breaks the contract.
 */
export function decode(call: Call, answer: HttpAnswer, facts: Facts): Reply {
  const contentType = answer.headers.find(([name]) => name === 'content-type')?.[1];
  if (contentType !== 'application/json') {
    throw invalid(call, 'has the wrong content type', 'application/json');
  }
  const text = textOf(call, answer);
  if (answer.status !== 200) throw functionError(call, text, facts);
  let output: Message;
  try {
    output = fromJsonString(call.method.output, text, { ignoreUnknownFields: true });
  } catch (cause) {
    throw invalid(call, `is no ${call.method.output.typeName}`, 'the message as proto3 JSON', cause);
  }
  return { output, facts };
}

function functionError(call: Call, text: string, facts: Facts): AnswerError | PluginError {
  let error: { code?: unknown; message?: unknown };
  try {
    error = Object(JSON.parse(text));
  } catch (cause) {
    return invalid(call, 'is an error that is not JSON', 'a Connect error', cause);
  }
  const connect = error.code;
  if (!isConnectCode(connect))
    return invalid(call, 'is an error without a code of Connect', 'a Connect error');
  const functionText = typeof error.message === 'string' ? formatReason(error.message) : '';
  const denied = connect === 'permission_denied' && call.traits.verdict === true;
  return new AnswerError(
    denied ? 'DENIED' : 'FUNCTION_ERROR',
    denied
      ? { happened: 'the function said no', expected: 'nothing else', remedy: 'This is its decision.' }
      : {
          happened: `the function answered ${connect} to ${call.method.name}`,
          expected: 'success',
          remedy: `Look into the log of the function for call ${call.id}.`,
        },
    { connect: connect satisfies ConnectCode, facts, functionText },
  );
}
