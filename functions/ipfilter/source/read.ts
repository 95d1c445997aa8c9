import { PluginError } from '../../../proto/error.ts';
import { concat } from '../../kit/body.ts';
import type { Content, Place } from './source.ts';

/** The largest list or database: an isolate has 128 MB for everything. */
const maxBytes = 64 * 1024 * 1024;
/** Longer than this nobody waits for a source. */
const timeoutMs = 20_000;

/** What a source holds, in pieces as they came: {@link usedUp} and {@link joined} are for reading them. */
export interface Pieces {
  readonly pieces: Uint8Array[];
  readonly tag: string;
}

/** One piece after the other. Each is taken out, so that its memory is free once it was used. */
export function* usedUp(pieces: Uint8Array[]): Generator<Uint8Array> {
  pieces.reverse();
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) yield piece;
}

/** All pieces as one, which takes them out. */
export function joined(pieces: Uint8Array[]): Uint8Array {
  const [first, ...others] = pieces.splice(0);
  return first === undefined || others.length > 0 ? concat(first ? [first, ...others] : []) : first;
}

/** The same before there is a tag in any case. */
type Read = Omit<Pieces, 'tag'> & Pick<Content, 'tag'>;

/**
 * Reads a source, unless it still is what `tag` names.
 *
 * @throws PluginError INPUT_INVALID, without a query or user info of an address; and what the platform throws
 */
export async function readPlace(
  place: Place,
  env: unknown,
  tag: string | undefined,
): Promise<Pieces | 'unchanged'> {
  const read = await ask(place, env, tag);
  if (read === 'unchanged') return read;
  const { pieces } = read;
  if (pieces.some(({ byteLength }) => byteLength > maxBytes)) throw tooLarge();
  const found = read.tag ?? (await sha256(pieces));
  return read.tag === undefined && found === tag ? 'unchanged' : { pieces, tag: found };
}

async function ask(place: Place, env: unknown, tag: string | undefined): Promise<Read | 'unchanged'> {
  if ('text' in place) return { pieces: [new TextEncoder().encode(place.text)] };
  if ('bytes' in place) return { pieces: [new Uint8Array(place.bytes)] };
  if ('read' in place) {
    const content = await place.read(env, tag);
    if (content === 'unchanged') return content;
    return { pieces: [content.bytes], ...(content.tag !== undefined && { tag: content.tag }) };
  }
  if ('url' in place) return await overHttp((request) => fetch(request), place.url, tag, true);
  if ('assets' in place) {
    const assets = binding<Assets>(env, place.assets, 'fetch');
    // any host: a static assets binding looks at the path only
    return await overHttp(
      (request) => assets.fetch(request),
      `https://assets.local${place.path}`,
      tag,
      false,
    );
  }
  if ('kv' in place) return await fromKv(binding<Kv>(env, place.kv, 'getWithMetadata'), place.key, tag);
  if ('r2' in place) return await fromR2(binding<R2>(env, place.r2, 'get'), place.key, tag);
  return await fromFile(place.file, tag);
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxHops = 5;

async function overHttp(
  send: (request: Request) => Promise<Response>,
  url: string,
  tag: string | undefined,
  isRemote: boolean,
): Promise<Read | 'unchanged'> {
  const headers = new Headers(tag?.includes('"') ? { 'if-none-match': tag } : {});
  const signal = AbortSignal.timeout(timeoutMs);
  let answer = await send(new Request(url, { headers, signal, redirect: 'manual' }));
  for (let hops = 0, at = url; isRemote && redirects.has(answer.status) && hops < maxHops; hops += 1) {
    await answer.body?.cancel();
    at = new URL(answer.headers.get('location') ?? '', at).href;
    // each of them: whoever sits on one plain hop chooses what the list is
    if (!isSafe(at)) {
      throw failure(
        'it redirects to an address without TLS',
        'https at each hop',
        'Write the last address as url.',
      );
    }
    answer = await send(new Request(at, { headers, signal, redirect: 'manual' }));
  }
  if (answer.status === 304 && tag !== undefined) return 'unchanged';
  if (answer.status !== 200 || answer.body === null) {
    await answer.body?.cancel();
    const remedy = 'Fetch the address by hand: it must answer without cookies and keys.';
    throw failure(`it answered ${answer.status}`, '200, or 304 where nothing changed', remedy);
  }
  const etag = answer.headers.get('etag');
  return { pieces: await readAll(answer.body), ...(etag === null ? {} : { tag: etag }) };
}

/** https, or this very machine. */
export function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
  );
}

/** Workers KV, as far as it is used here: https://developers.cloudflare.com/kv/api/read-key-value-pairs/ */
interface Kv {
  getWithMetadata(
    key: string,
    options: { type: 'stream' },
  ): Promise<{ value: ReadableStream<Uint8Array> | null; metadata: unknown }>;
}

async function fromKv(namespace: Kv, key: string, tag: string | undefined): Promise<Read | 'unchanged'> {
  const { value, metadata } = await namespace.getWithMetadata(key, { type: 'stream' });
  if (value === null) {
    const remedy = 'Upload it: npx wrangler kv key put, with --remote.';
    throw failure(`the namespace has no key ${key}`, 'the list or the database there', remedy);
  }
  const etag =
    typeof metadata === 'object' && metadata !== null && 'etag' in metadata ? metadata.etag : undefined;
  if (typeof etag !== 'string') return { pieces: await readAll(value) };
  if (etag === tag) {
    await value.cancel();
    return 'unchanged';
  }
  return { pieces: await readAll(value), tag: etag };
}

/** R2, as far as it is used here: https://developers.cloudflare.com/r2/api/workers/workers-api-reference/ */
interface R2 {
  get(
    key: string,
    options: { onlyIf: { etagDoesNotMatch?: string } },
  ): Promise<{ readonly etag: string; readonly body?: ReadableStream<Uint8Array> } | null>;
}

async function fromR2(bucket: R2, key: string, tag: string | undefined): Promise<Read | 'unchanged'> {
  const object = await bucket.get(key, { onlyIf: tag === undefined ? {} : { etagDoesNotMatch: tag } });
  if (object === null) {
    const remedy = 'Upload it: npx wrangler r2 object put, with --remote.';
    throw failure(`the bucket has no object ${key}`, 'the list or the database there', remedy);
  }
  // without a body: the condition did not hold
  if (object.body === undefined) return 'unchanged';
  return { pieces: await readAll(object.body), tag: object.etag };
}

interface Assets {
  fetch(request: Request): Promise<Response>;
}

async function fromFile(path: string, tag: string | undefined): Promise<Read | 'unchanged'> {
  // not at the top: a Worker without Node compatibility has no such module
  const { readFile, stat } = await import('node:fs/promises');
  const { mtimeMs, size, ino } = await stat(path);
  const found = `${ino}-${mtimeMs}-${size}`;
  return found === tag ? 'unchanged' : { pieces: [await readFile(path)], tag: found };
}

function binding<T>(env: unknown, name: string, method: string): T {
  const found = typeof env === 'object' && env !== null ? (env as Record<string, unknown>)[name] : undefined;
  if (typeof found === 'object' && found !== null && method in found) return found as T;
  const happened = `there is no such binding as ${name}; bindings exist on Cloudflare Workers only`;
  throw failure(
    happened,
    'a binding of this name and kind',
    "Bind it in the Worker's Wrangler configuration.",
  );
}

/** Stops at the limit: what comes after it is not kept in memory first. */
async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      throw tooLarge();
    }
    pieces.push(next.value);
  }
  return pieces;
}

function tooLarge(): PluginError {
  return failure(
    `it has more than ${maxBytes} bytes`,
    'at most so many',
    'Split the list, or take a smaller database.',
  );
}

function failure(happened: string, expected: string, remedy: string): PluginError {
  return new PluginError('INPUT_INVALID', { happened, expected, remedy });
}

/** Of Cloudflare Workers: https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors */
interface DigestStream extends WritableStream<Uint8Array> {
  readonly digest: Promise<ArrayBuffer>;
}

async function sha256(pieces: readonly Uint8Array[]): Promise<string> {
  const digest = await digestOf(pieces, crypto as { DigestStream?: new (name: string) => DigestStream });
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Where memory is scarce, on Workers, the pieces need not be joined for it. */
async function digestOf(
  pieces: readonly Uint8Array[],
  { DigestStream }: { DigestStream?: new (name: string) => DigestStream },
): Promise<ArrayBuffer> {
  if (DigestStream === undefined) return await crypto.subtle.digest('SHA-256', concat(pieces));
  const stream = new DigestStream('SHA-256');
  const writer = stream.getWriter();
  for (const piece of pieces) await writer.write(piece);
  await writer.close();
  return await stream.digest;
}
