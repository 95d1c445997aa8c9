import { decodeJson } from '../../proto/codec.ts';
import { PluginError } from '../../proto/error.ts';
import { pluginHeaders } from '../../proto/facts.ts';
import type { RequestMessage } from '../../proto/signature/message.ts';
import { verifyRequest } from '../../proto/signature/verify-request.ts';
import { encodeOutcome, signedResponse, unsignedResponse } from './answer.ts';
import { readBody } from './body.ts';
import type { Beside, Context, WaitUntil } from './context.ts';
import { runUntil } from './deadline.ts';
import { FunctionError } from './function-error.ts';
import { createLog, describeThrown, type Log } from './log.ts';
import type { Caller, FurtherService, Outcome, PluginDefinition, Rpc, SignedHeaders } from './plugin.ts';
import { refusal } from './refusal.ts';
import type { Runtime } from './runtime.ts';
import type { Settings } from './settings.ts';

const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** One request on its way through {@link serveCall}, and what it needs. */
export interface Incoming<Env> {
  readonly request: Request;
  /** From the path: `proto.IPFilter`, `CheckIP`. */
  readonly service: string;
  readonly method: string;
  readonly env: Env;
  readonly platform: WaitUntil | undefined;
  readonly definition: PluginDefinition<Env>;
  readonly runtime: Runtime;
  /** The parsed settings of `env`, the same promise for every request. */
  readonly settings: () => Promise<Settings>;
}

/**
 * Answers one call: read → settings → verify → decode → run → encode → sign. Until the signature is verified
 * every refusal is unsigned and says nothing that helps a stranger; from then on everything is signed, the
 * failures of the author's code included.
 */
export async function serveCall<Env>(incoming: Incoming<Env>): Promise<Response> {
  const { request, runtime, definition } = incoming;
  const arrivedMs = Date.now();
  const body = await readBody(request, definition.maxRequestBytes);
  if (body.bytes === undefined) {
    return unsignedResponse(429, 'resource_exhausted', 'the request is too large', body.mustClose);
  }
  const settings = await incoming.settings().catch(() => undefined);
  if (settings === undefined) {
    return unsignedResponse(503, 'unavailable', 'the function is not set up; its log says why');
  }
  const message = toMessage(incoming, settings, body.bytes);
  const log = createLog({
    function: settings.functionName,
    rpc: incoming.method,
    // cut: a stranger's header, until the signature is verified
    id: request.headers.get(pluginHeaders.callId)?.slice(0, 64),
  });
  const service = serviceOf(definition, incoming.service);
  const caller = await verify(message, incoming, service, settings, log);
  if (service === undefined || caller === 'refused') {
    return unsignedResponse(401, 'unauthenticated', 'not a call that this function accepts');
  }
  const rpc = Object.hasOwn(service.rpcs, incoming.method) ? service.rpcs[incoming.method] : undefined;
  const startedMs = performance.now();
  const outcome =
    caller === 'skewed'
      ? refusal('failed_precondition', 'the clocks differ too much', { [pluginHeaders.refused]: 'time' })
      : await run(message, rpc, incoming, arrivedMs, log, settings.secret, caller);
  const answer = encode(outcome, rpc, performance.now() - startedMs, log, runtime.maxAnswerBytes);
  return signedResponse(answer, message, settings, runtime);
}

/** The request as the signature sees it. Its URL is the function's own, never something in the payload. */
function toMessage<Env>(
  { request, service, method }: Incoming<Env>,
  { publicUrl }: Settings,
  body: Uint8Array,
): RequestMessage {
  const url = publicUrl === undefined ? request.url : `${publicUrl}/${service}/${method}`;
  return { method: request.method, url, headers: [...request.headers], body };
}

/** The service of a path, with those who may call it; undefined where the function has no such service. */
function serviceOf<Env>(
  { service, rpcs, further = {} }: PluginDefinition<Env>,
  asked: string,
): FurtherService<Env> | undefined {
  if (asked === service) return { rpcs, callers: ({ callers }) => callers };
  return Object.hasOwn(further, asked) ? further[asked] : undefined;
}

async function verify<Env>(
  message: RequestMessage,
  { service: asked, runtime }: Incoming<Env>,
  service: FurtherService<Env> | undefined,
  settings: Settings,
  log: Log,
): Promise<Caller | 'skewed' | 'refused'> {
  const { callers, reporters, functionName, nonces } = settings;
  try {
    const { crypto } = runtime;
    const nowS = Date.now() / 1000;
    const keys = service?.callers(settings) ?? callers;
    const { keyid } = await verifyRequest(message, { keys, crypto, nowS, nonces, functionName });
    if (service === undefined) log.warn('the call is for another service', { service: asked });
    return { keyid, adapter: callers(keyid) !== undefined, reporter: reporters(keyid) !== undefined };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    log.warn(error.message, { code: error.code });
    return error.code === 'CLOCK_SKEW' ? 'skewed' : 'refused';
  }
}

async function run<Env>(
  message: RequestMessage,
  rpc: Rpc<Env> | undefined,
  incoming: Incoming<Env>,
  arrivedMs: number,
  log: Log,
  secret: string,
  caller: Caller,
): Promise<Outcome> {
  if (rpc === undefined) return refusal('unimplemented', 'this plugin has no such RPC');
  const header = new Map(message.headers);
  if (header.get('content-type') !== 'application/json') {
    return refusal('invalid_argument', 'content-type must be application/json');
  }
  if (header.get('connect-protocol-version') !== '1') {
    return refusal('invalid_argument', 'connect-protocol-version must be 1');
  }
  const timeout = header.get('connect-timeout-ms') ?? '';
  // ten digits at most: https://connectrpc.com/docs/protocol/#unary-request
  if (!/^\d{1,10}$/.test(timeout)) return refusal('invalid_argument', 'connect-timeout-ms must be a number');
  const deadlineMs = Math.min(
    arrivedMs + Number(timeout),
    incoming.platform?.deadlineMs ?? Number.POSITIVE_INFINITY,
  );
  const input = decode(message.body, rpc);
  if (input === undefined) return refusal('invalid_argument', 'the body is not the message of this RPC');
  const waitUntil = backgroundOf(incoming.platform, log);
  const { env } = incoming;
  const id = header.get(pluginHeaders.callId) ?? '';
  const signed = new Map([...header].filter(([name]) => name.startsWith('plugin-')));
  const traceparent = header.get('traceparent');
  const traced = traceparent !== undefined && traceparentForm.test(traceparent) ? { traceparent } : {};
  return await runUntil(
    deadlineMs,
    (signal) =>
      guarded(rpc, input, { env, id, ...traced, signal, deadlineMs, waitUntil, log }, signed, secret, caller),
    refusal('deadline_exceeded', 'the function was not done in time'),
  );
}

function decode<Env>(body: Uint8Array, rpc: Rpc<Env>): object | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return decodeJson<object>(rpc.table.input, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Runs the author's code. Whatever it throws becomes an outcome; only a FunctionError speaks for itself. */
async function guarded<Env>(
  rpc: Rpc<Env>,
  input: object,
  context: Context<Env>,
  signed: SignedHeaders,
  secret: string,
  caller: Caller,
): Promise<Outcome> {
  try {
    return await rpc.run(input as never, context, signed, secret, caller);
  } catch (thrown) {
    if (thrown instanceof FunctionError) return refusal(thrown.code, thrown.message);
    context.log.error('the handler threw', describeThrown(thrown));
    return refusal('internal', 'the function failed; its log says why');
  }
}

function encode<Env>(
  outcome: Outcome,
  rpc: Rpc<Env> | undefined,
  elapsedMs: number,
  log: Log,
  maxBytes?: number,
) {
  try {
    return encodeOutcome(outcome, rpc, elapsedMs, maxBytes);
  } catch (thrown) {
    log.error('the answer cannot be encoded', describeThrown(thrown));
    return encodeOutcome(refusal('internal', 'the function failed; its log says why'), rpc, elapsedMs);
  }
}

function backgroundOf(platform: WaitUntil | undefined, log: Log): Context['waitUntil'] {
  return (work: Promise<unknown>, beside?: Beside) => {
    const logged = work.catch((thrown: unknown) => log.error('waitUntil failed', describeThrown(thrown)));
    platform?.waitUntil(logged, beside);
  };
}
