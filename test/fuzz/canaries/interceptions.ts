import type { RequestMessage } from '../../../proto/signature/message.ts';
import type { FunctionServer, Interceptor, Reaction } from '../../support/function-server.ts';
import { newKey } from '../../support/keys.ts';
import type { Deed } from './functions.ts';

/** What answers in place of the function. Each of them quotes the request wherever an answer can say something. */
type Interception =
  | 'junk'
  | 'odd-error'
  | 'odd-headers'
  | 'other-key'
  | 'changed'
  | 'bad-gateway'
  | 'unauthorized'
  | 'reset'
  | 'hang'
  | 'redirect'
  | 'encoded'
  | 'odd-user'
  | 'other-clock';

/** Of 256 calls, so many are… The others are answered. */
const shares: readonly (readonly [what: Deed | Interception, of256: number])[] = [
  ['deny', 20],
  ['report', 20],
  ['throw', 12],
  ['throw-input', 8],
  ['junk', 8],
  ['odd-error', 6],
  ['odd-headers', 8],
  ['odd-user', 8],
  ['other-key', 4],
  ['changed', 5],
  ['bad-gateway', 5],
  ['unauthorized', 2],
  ['reset', 3],
  ['redirect', 2],
  ['encoded', 2],
  ['other-clock', 2],
  ['hang', 1],
  ['slow', 1],
];

const table = shares.flatMap(([what, of256]) => Array.from({ length: of256 }, () => what));
const interceptions: ReadonlySet<string> = new Set([
  ...['junk', 'odd-error', 'odd-headers', 'odd-user', 'other-key', 'other-clock', 'changed', 'encoded'],
  ...['bad-gateway', 'unauthorized', 'redirect', 'reset', 'hang'],
]);
function drawn(id: string): Deed | Interception {
  return table[Number.parseInt(id.slice(0, 2), 16)] ?? 'answer';
}

function isInterception(what: Deed | Interception): what is Interception {
  return interceptions.has(what);
}

/** What the handler does with the call of this id. */
export function deedOf(id: string): Deed {
  const what = drawn(id);
  return isInterception(what) ? 'answer' : what;
}

/** Is nothing to be waited for? Then the call needs little time. */
export function isSilent(id: string): boolean {
  return ['hang', 'slow'].includes(drawn(id));
}

/** Puts the interceptions before a function. */
export function intercept(server: FunctionServer): void {
  const stranger = newKey();
  server.intercept = async (request, honest) => {
    // 100,000 requests are not to be kept
    (server.requests as RequestMessage[]).length = 0;
    const what = drawn(new Map(request.headers).get('plugin-call-id') ?? '');
    return isInterception(what) ? await played(what, request, server, stranger, honest) : await honest();
  };
}

async function played(
  what: Interception,
  request: RequestMessage,
  server: FunctionServer,
  stranger: ReturnType<typeof newKey>,
  honest: Parameters<Interceptor>[1],
): Promise<Reaction> {
  const said = new TextDecoder().decode(request.body);
  const printable = said.replace(/[^ -~]/g, '?').slice(0, 2000);
  switch (what) {
    case 'junk':
      return await server.sign(request, { body: said.slice(0, -1) });
    case 'odd-error':
      return await server.sign(request, { status: 500, body: JSON.stringify({ code: said, message: said }) });
    case 'odd-headers':
      return await server.sign(request, {
        headers: Object.fromEntries(
          ['reason', 'grant', 'cache', 'scope', 'dialogue', 'elapsed', 'refused'].map((name) => [
            `plugin-${name}`,
            printable,
          ]),
        ),
      });
    case 'odd-user':
      return await server.sign(request, oddUser(said));
    case 'other-key':
      return await server.sign(request, { body: said }, { key: stranger });
    case 'other-clock':
      return await server.sign(request, { body: said }, { nowS: Date.now() / 1000 - 600 });
    case 'changed':
      return { ...(await honest()), body: request.body };
    case 'bad-gateway':
      return {
        status: 502,
        headers: [
          ['content-type', 'text/html'],
          ['x-quote', printable],
        ],
        body: request.body,
      };
    case 'unauthorized': {
      const body = JSON.stringify({ code: 'unauthenticated', message: said });
      return {
        status: 401,
        headers: [['content-type', 'application/json']],
        body: new TextEncoder().encode(body),
      };
    }
    case 'redirect':
      return {
        status: 302,
        headers: [['location', `https://example.com/${encodeURIComponent(printable)}`]],
        body: request.body,
      };
    case 'encoded':
      return { ...(await honest()), headers: [['content-encoding', printable]] };
    case 'reset':
    case 'hang':
      return what;
  }
}

/** A login's answer that no ceiling allows, made of what came in; of other types, an answer with fields too many. */
function oddUser(said: string): { headers?: Record<string, string>; body: string } {
  const { user, ...rest } = Object(JSON.parse(said)) as Record<string, unknown>;
  if (typeof user !== 'string') return { body: JSON.stringify({ ...rest, payload: said, data: said }) };
  const record = Object(JSON.parse(Buffer.from(user, 'base64').toString() || '{}'));
  const taken = {
    ...record,
    home_dir: said,
    [said]: said,
    permissions: { [said]: [said] },
    filters: { [said]: said },
  };
  const body = JSON.stringify({ user: Buffer.from(JSON.stringify(taken)).toString('base64') });
  return { headers: { 'plugin-grant': 'replace' }, body };
}
