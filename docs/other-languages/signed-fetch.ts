import { createHash, type KeyObject, sign, verify } from 'node:crypto';

/** Who answers, by which key, and whose calls. Keys are Ed25519, by the RFC 7638 thumbprint of their JWK. */
export interface Profile {
  readonly functionName: string;
  readonly buildId: string;
  readonly publicUrl: string;
  readonly keyid: string;
  readonly key: KeyObject;
  readonly callers: ReadonlyMap<string, KeyObject>;
}

const inputForm =
  /^sig=(\(([^()]*)\);created=(\d+);expires=(\d+);nonce="([\w-]{16,64})";keyid="([\w-]{43})";tag="sftpgo-plugin-call")$/;
const inRequest = ['content-type', 'content-digest', 'connect-protocol-version', 'connect-timeout-ms'];
const skewS = 30;
const digestOf = (body: Uint8Array) => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
/** What is signed is lines of `"name": value`; the list of their names stands in signature-input. */
const listOf = (lines: readonly string[]) => lines.map((line) => line.split(': ', 1)[0]).join(' ');
const baseOf = (lines: readonly string[], parameters: string) =>
  Buffer.from([...lines, `"@signature-params": ${parameters}`].join('\n'));
function fieldLines(headers: Headers, first: readonly string[]): string[] {
  const plugin = [...headers.keys()].filter((name) => name.startsWith('plugin-')).sort();
  return [...first, ...plugin].map((name) => `"${name}": ${headers.get(name)}`);
}

/** Verifies each call before `handle` sees it, and signs each answer so that it fits this one request. */
export function signedFetch(handle: (request: Request) => Promise<Response>, profile: Profile) {
  const seen = new Map<string, number>();
  const isCall = (url: string, { method, headers }: Request, body: Uint8Array): boolean => {
    const found = inputForm.exec(headers.get('signature-input') ?? '') ?? [];
    const [, input = '', list, created, expires, nonce = '', keyid = ''] = found;
    const covered = [`"@method": ${method}`, `"@target-uri": ${url}`, ...fieldLines(headers, inRequest)];
    const caller = profile.callers.get(keyid);
    const named = headers.get('plugin-function') === profile.functionName && headers.has('plugin-call-id');
    if (method !== 'POST' || !named || list !== listOf(covered) || caller === undefined) return false;
    const [, signature = ''] = /^sig=:([\w+/]{86}==):$/.exec(headers.get('signature') ?? '') ?? [];
    if (headers.get('content-digest') !== digestOf(body)) return false;
    if (!verify(null, baseOf(covered, input), caller, Buffer.from(signature, 'base64'))) return false;
    const [nowS, from, until] = [Date.now() / 1000, Number(created), Number(expires)];
    if (until <= from || until - from > 30 || from > nowS + skewS || until < nowS - skewS) return false;
    for (const [old, end] of seen)
      if (end < nowS) seen.delete(old);
      else break;
    return seen.size < 100_000 && !seen.has(nonce) && seen.set(nonce, until + 2 * skewS).has(nonce);
  };
  return async (request: Request): Promise<Response> => {
    const body = new Uint8Array(await request.arrayBuffer());
    const url = profile.publicUrl + new URL(request.url).pathname;
    if (body.length > 1_048_576 || !isCall(url, request, body)) return new Response('{}', { status: 401 });
    const answer = await handle(new Request(url, { method: 'POST', headers: request.headers, body }));
    const content = new Uint8Array(await answer.arrayBuffer());
    const head = new Headers([...answer.headers].filter(([name]) => /^(content-type$|plugin-)/.test(name)));
    head.set('plugin-version', profile.buildId);
    head.set('content-digest', digestOf(content));
    const asked = request.headers.get('content-digest');
    const covered = [`"@status": ${answer.status}`, ...fieldLines(head, ['content-type', 'content-digest'])];
    covered.push('"@method";req: POST', `"@target-uri";req: ${url}`, `"content-digest";req: ${asked}`);
    covered.push(`"signature";req;key="sig": ${request.headers.get('signature')?.slice('sig='.length)}`);
    const parameters = `(${listOf(covered)});created=${Math.floor(Date.now() / 1000)};keyid="${profile.keyid}";tag="sftpgo-plugin-answer"`;
    const signature = sign(null, baseOf(covered, parameters), profile.key).toString('base64');
    head.set('signature-input', `sig=${parameters}`);
    head.set('signature', `sig=:${signature}:`);
    return new Response(content, { status: answer.status, headers: head });
  };
}
