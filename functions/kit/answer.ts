import { encodeJson } from '../../proto/codec.ts';
import { type ConnectCode, connectCodes } from '../../proto/codes.ts';
import { formatElapsed, formatReason, pluginHeaders } from '../../proto/facts.ts';
import type { AnswerMessage, RequestMessage } from '../../proto/signature/message.ts';
import { signAnswer } from '../../proto/signature/sign-answer.ts';
import { ownBuildId } from './build-id.ts';
import { maxAnswerBytes } from './limits.ts';
import type { Outcome, Rpc } from './plugin.ts';
import { refusal } from './refusal.ts';
import type { Runtime } from './runtime.ts';
import type { Settings } from './settings.ts';

const utf8 = new TextEncoder();
const noStore = ['cache-control', 'no-store, no-transform'] as const;

/**
 * Writes an outcome as a Connect answer (https://connectrpc.com/docs/protocol/#unary-response), unsigned yet.
 * One larger than the platform carries (`maxBytes`, 6 MiB when absent) becomes `internal`.
 *
 * @throws PluginError INPUT_INVALID where the output does not fit the RPC's message, TypeError for a fact that could
 * not be signed
 */
export function encodeOutcome(
  outcome: Outcome,
  rpc: Rpc<never> | undefined,
  elapsedMs: number,
  maxBytes = maxAnswerBytes,
): AnswerMessage {
  const { refusal: error, output = {} } = outcome;
  const json =
    error === undefined && rpc !== undefined
      ? encodeJson<object>(rpc.table.output, output)
      : { code: error?.code ?? 'internal', message: formatReason(error?.message ?? '') };
  const body = utf8.encode(JSON.stringify(json));
  if (body.byteLength > maxBytes) {
    return encodeOutcome(refusal('internal', `the answer is larger than ${maxBytes} bytes`), rpc, elapsedMs);
  }
  const headers = Object.entries({
    'content-type': 'application/json',
    ...outcome.facts,
    [pluginHeaders.elapsed]: formatElapsed(elapsedMs),
  });
  if (headers.some(([, value]) => /[^ -~]/.test(value))) throw new TypeError('a fact is not printable ASCII');
  return { status: error === undefined ? 200 : connectCodes[error.code].http, headers, body };
}

/** Signs an answer, with what answered, so that it fits this one request, and makes it a response. */
export async function signedResponse(
  answer: AnswerMessage,
  request: RequestMessage,
  { key, version }: Settings,
  { crypto }: Runtime,
): Promise<Response> {
  const answered = [...answer.headers, [pluginHeaders.version, version ?? ownBuildId()] as const];
  const signed = { ...answer, headers: answered };
  const headers = await signAnswer(signed, { request, key, crypto, nowS: Date.now() / 1000 });
  return response(answer.status, [...headers, noStore], answer.body);
}

/**
 * An error for a caller who has not proved who he is: a fixed text, unsigned. The adapter takes it for "not
 * reached", never for a decision.
 */
export function unsignedResponse(
  status: number,
  code: ConnectCode,
  message: string,
  mustClose = false,
): Response {
  const body = utf8.encode(JSON.stringify({ code, message }));
  const close = mustClose ? [['connection', 'close'] as const] : [];
  return response(status, [['content-type', 'application/json'], noStore, ...close], body);
}

function response(status: number, headers: AnswerMessage['headers'], body: Uint8Array): Response {
  return new Response(body as Uint8Array<ArrayBuffer>, { status, headers: headers.map(([k, v]) => [k, v]) });
}
