import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isSafe, joined, readPlace, usedUp } from './read.ts';

const list = '203.0.113.0/24\n';
const text = (content: Awaited<ReturnType<typeof readPlace>>) =>
  content === 'unchanged' ? content : new TextDecoder().decode(joined(content.pieces));
const server = createServer((request, response) => {
  if (request.url === '/moved') return response.writeHead(302, { location: '/list' }).end();
  if (request.url === '/plain')
    return response.writeHead(302, { location: 'http://lists.example.com/' }).end();
  if (request.url === '/round') return response.writeHead(302, { location: '/round' }).end();
  if (request.url === '/gone') return response.writeHead(404).end('gone');
  if (request.headers['if-none-match'] === '"1"') return response.writeHead(304).end();
  return response.writeHead(200, request.url === '/bare' ? {} : { etag: '"1"' }).end(list);
});
let origin: string;
let folder: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'lists-'));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

test('an address is asked with the ETag of what is held', async () => {
  const first = await readPlace({ url: `${origin}/list` }, {}, undefined);
  expect(first).toMatchObject({ tag: '"1"' });
  expect(text(first)).toBe(list);
  expect(await readPlace({ url: `${origin}/list` }, {}, '"1"')).toBe('unchanged');
  expect(text(await readPlace({ url: `${origin}/moved` }, {}, undefined))).toBe(list);
});

test('without an ETag, equal bytes are unchanged', async () => {
  const first = await readPlace({ url: `${origin}/bare` }, {}, undefined);
  const tag = first === 'unchanged' ? '' : first.tag;
  expect(tag).toMatch(/^[0-9a-f]{64}$/);
  expect(await readPlace({ url: `${origin}/bare` }, {}, tag)).toBe('unchanged');
});

test('an answer that is no list is a failure', async () => {
  await expect(readPlace({ url: `${origin}/gone` }, {}, undefined)).rejects.toThrow('it answered 404');
  await expect(readPlace({ url: 'http://127.0.0.1:1/' }, {}, undefined)).rejects.toThrow();
});

test.each([
  ['https://lists.example/abuse.txt', true],
  ['http://127.0.0.1:8080/', true],
  ['http://lists.example/abuse.txt', false],
  ['http://127.0.0.1.lists.example/', false],
  ['ftp://lists.example/', false],
])('%s is safe: %s', (url, safe) => {
  expect(isSafe(url)).toBe(safe);
});

test('KV: metadata with an etag says that nothing changed; without it the bytes do', async () => {
  const stored = new Map<string, { value: string; metadata: unknown }>([
    ['tagged', { value: list, metadata: { etag: 'v7' } }],
    ['bare', { value: list, metadata: null }],
  ]);
  let cancelled = 0;
  const LISTS = {
    async getWithMetadata(key: string) {
      const { value, metadata } = stored.get(key) ?? { value: null, metadata: null };
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode(value ?? ''));
          controller.close();
        },
        cancel: () => void cancelled++,
      });
      return { value: value === null ? null : stream, metadata };
    },
  };
  const at = (key: string, tag?: string) => readPlace({ kv: 'LISTS', key }, { LISTS }, tag);
  const first = await at('tagged');
  expect(first).toMatchObject({ tag: 'v7' });
  expect(text(first)).toBe(list);
  expect(await at('tagged', 'v7')).toBe('unchanged');
  expect(cancelled).toBe(1);
  const bare = await at('bare');
  expect(await at('bare', bare === 'unchanged' ? '' : bare.tag)).toBe('unchanged');
  await expect(at('missing')).rejects.toThrow('the namespace has no key missing');
  await expect(readPlace({ kv: 'OTHER', key: 'x' }, { LISTS }, undefined)).rejects.toThrow(
    'no such binding as OTHER',
  );
});

test('R2 is asked on the condition that the object changed', async () => {
  const asked: unknown[] = [];
  const GEO = {
    async get(key: string, options: { onlyIf: { etagDoesNotMatch?: string } }) {
      asked.push(options.onlyIf);
      if (key !== 'abuse.txt') return null;
      const isSame = options.onlyIf.etagDoesNotMatch === 'e1';
      return { etag: 'e1', ...(isSame ? {} : { body: new Response(list).body }) };
    },
  };
  const at = (key: string, tag?: string) => readPlace({ r2: 'GEO', key }, { GEO }, tag);
  expect(text(await at('abuse.txt'))).toBe(list);
  expect(await at('abuse.txt', 'e1')).toBe('unchanged');
  await expect(at('other')).rejects.toThrow('the bucket has no object other');
  expect(asked).toEqual([{}, { etagDoesNotMatch: 'e1' }, {}]);
});

test('static assets are asked as an address is', async () => {
  const ASSETS = {
    async fetch(request: Request) {
      if (new URL(request.url).pathname !== '/abuse.txt') return new Response('', { status: 404 });
      const isSame = request.headers.get('if-none-match') === '"a"';
      return new Response(isSame ? null : list, { status: isSame ? 304 : 200, headers: { etag: '"a"' } });
    },
  };
  const at = (path: string, tag?: string) => readPlace({ assets: 'ASSETS', path }, { ASSETS }, tag);
  expect(text(await at('/abuse.txt'))).toBe(list);
  expect(await at('/abuse.txt', '"a"')).toBe('unchanged');
  await expect(at('/other')).rejects.toThrow('it answered 404');
});

test('a file is read again when it changed', async () => {
  const file = join(folder, 'abuse.txt');
  await writeFile(file, list);
  const first = await readPlace({ file }, {}, undefined);
  const tag = first === 'unchanged' ? '' : first.tag;
  expect(text(first)).toBe(list);
  expect(await readPlace({ file }, {}, tag)).toBe('unchanged');
  await utimes(file, 1, 1);
  expect(text(await readPlace({ file }, {}, tag))).toBe(list);
});

test('pieces come in their order, and are let go of when they were used', () => {
  const pieces = [1, 2, 3].map((n) => Uint8Array.of(n));
  expect([...usedUp(pieces)].map(([n]) => n)).toEqual([1, 2, 3]);
  const again = [1, 2, 3].map((n) => Uint8Array.of(n));
  const reading = usedUp(again);
  reading.next();
  reading.next();
  expect(again).toHaveLength(1);
  expect([...joined([Uint8Array.of(1), Uint8Array.of(2, 3)])]).toEqual([1, 2, 3]);
});

test('more than 64 MiB is not taken, whoever sends it', async () => {
  const read = async () => ({ bytes: new Uint8Array(64 * 1024 * 1024 + 1), tag: 'x' });
  await expect(readPlace({ read }, {}, undefined)).rejects.toThrow('more than');
});

test('each hop of a redirect has TLS, or is not made; a circle ends', async () => {
  const readAt = (path: string) => readPlace({ url: `${origin}${path}` }, {}, undefined);
  await expect(readAt('/plain')).rejects.toThrow('it redirects to an address without TLS');
  await expect(readAt('/round')).rejects.toThrow('it answered 302');
});
