import { decodeJson, encodeJson } from '../../proto/codec.ts';
import { PluginError } from '../../proto/error.ts';
import { pluginHeaders } from '../../proto/facts.ts';
import { bansService } from '../../proto/gen/wire.ts';
import { parseJwks, parsePrivateJwk } from '../../proto/keys/parse.ts';
import { normaliseAddress } from '../../proto/lock/address.ts';
import type { RequestMessage } from '../../proto/signature/message.ts';
import { keyRing } from '../../proto/signature/port.ts';
import { signRequest } from '../../proto/signature/sign-request.ts';
import { verifyAnswer } from '../../proto/signature/verify-answer.ts';
import { webCrypto, webSigningKey, webVerifyingKey } from '../../proto/signature/web.ts';
import type { Context } from './context.ts';

/** Something an address did. */
export interface Offence {
  /** The client's address, as the handler got it. */
  readonly ip: string;
  /** SSH, FTP, DAV, HTTP or OIDC, as the handler got it. */
  readonly protocol?: string;
  /** For the ban list: at most 200 printable ASCII characters. Never a password, and no name that was typed. */
  readonly reason: string;
}

/** What came of a report. */
export interface Reported {
  /** The network it counted against; empty where the ipfilter function counts no reports. */
  readonly network: string;
  /** Offences of that network within the window; 0 after they became a ban. */
  readonly count: number;
  /** Until when the network is banned; absent: it is not, by this. */
  readonly bannedUntil?: Date;
}

/** An answer is a few hundred bytes. */
const maxAnswerBytes = 64 * 1024;
const timeoutMs = 5_000;

/**
 * Reports an offence to the ipfilter function, which bans a network after enough of them (docs/bans.md). Signed with
 * this function's own key, whose public part must be in PLUGIN_REPORTERS there; the answer is verified. The ipfilter
 * function is named by the setting PLUGIN_REPORT_TO: `{"function": "office@live", "address": "https://…", "keys":
 * [<its public JWKs>]}`, as they stand in the lock.
 *
 * It takes a round trip of up to 5 s, so let it go on beside the answer:
 *
 * ```ts
 * context.waitUntil(reportOffender(context, { ip, protocol, reason: 'wrong password' }));
 * ```
 *
 * @throws PluginError CONFIG_INVALID or KEY_FILE_INVALID for a missing or wrong setting, UNREACHABLE, ANSWER_UNSIGNED
 * (the key is not listed there, most likely), ANSWER_REFUSED, FUNCTION_ERROR
 */
export async function reportOffender({ env, id }: Context, offence: Offence): Promise<Reported> {
  const { report } = bansService.methods;
  const { functionName, url, keys } = await targetOf(env);
  const key = await webSigningKey(parsePrivateJwk(jsonOf(env, 'PLUGIN_KEY'), 'the setting PLUGIN_KEY'));
  const input = { ip: offence.ip, protocol: offence.protocol ?? '', reason: offence.reason.slice(0, 200) };
  const message = {
    method: 'POST',
    url: `${url}/${bansService.typeName}/${report.name}`,
    headers: Object.entries({
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      'connect-protocol-version': '1',
      'connect-timeout-ms': String(timeoutMs),
      [pluginHeaders.function]: functionName,
      // of the call that failed: a login that is tried again by the host would be another one
      [pluginHeaders.callId]: id,
    }),
    body: new TextEncoder().encode(JSON.stringify(encodeJson(report.input, input))),
  };
  const headers = await signRequest(message, { key, crypto: webCrypto, nowS: Date.now() / 1000 });
  const request: RequestMessage = { ...message, headers };
  const answer = await send(request);
  await verifyAnswer(answer, { request, keys, crypto: webCrypto });
  const json: unknown = JSON.parse(new TextDecoder().decode(answer.body));
  if (answer.status !== 200) throw refused(functionName, json);
  const { network, count, untilMs } = decodeJson(report.output, json);
  return { network, count, ...(untilMs > 0n ? { bannedUntil: new Date(Number(untilMs)) } : {}) };
}

async function targetOf(env: unknown) {
  const {
    function: functionName,
    address,
    keys,
  } = Object(jsonOf(env, 'PLUGIN_REPORT_TO')) as Record<string, unknown>;
  const url = typeof address === 'string' ? normaliseAddress(address) : { problem: 'it is missing' };
  if (typeof functionName !== 'string') throw wrongSetting('PLUGIN_REPORT_TO names no function');
  if ('problem' in url) throw wrongSetting(`the address in PLUGIN_REPORT_TO cannot be used (${url.problem})`);
  const listed = parseJwks({ keys }, 'the setting PLUGIN_REPORT_TO');
  return { functionName, url: url.href, keys: keyRing(await Promise.all(listed.map(webVerifyingKey))) };
}

async function send({ url, method, headers, body }: RequestMessage) {
  try {
    const response = await fetch(url, {
      method,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      body: body as Uint8Array<ArrayBuffer>,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.byteLength > maxAnswerBytes) throw new TypeError('the answer is too large');
    return { status: response.status, headers: [...response.headers], body: bytes };
  } catch (cause) {
    throw new PluginError('UNREACHABLE', {
      happened: `an offender could not be reported to ${url}`,
      expected: 'an answer within 5 s',
      remedy: 'Check the address in PLUGIN_REPORT_TO, and the ipfilter function.',
      cause,
    });
  }
}

function refused(functionName: string, json: unknown): PluginError {
  const { code, message } = Object(json) as Record<string, unknown>;
  return new PluginError('FUNCTION_ERROR', {
    happened: `${functionName} refused a report: ${String(code)}, ${String(message)}`,
    expected: 'an ipfilter function that takes reports',
    remedy: 'Look into its log; permission_denied: list the key of this function in PLUGIN_REPORTERS there.',
  });
}

function jsonOf(env: unknown, name: string): unknown {
  const value = typeof env === 'object' && env !== null ? (env as Record<string, unknown>)[name] : undefined;
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    // without its cause, whose message quotes the text: PLUGIN_KEY is a secret
    throw wrongSetting(`the setting ${name} is not JSON`);
  }
}

function wrongSetting(happened: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened,
    expected:
      'PLUGIN_REPORT_TO as {"function": "office@live", "address": "https://…", "keys": [<public JWKs>]}',
    remedy: "Take the three from the ipfilter function's entry in the lock.",
  });
}
