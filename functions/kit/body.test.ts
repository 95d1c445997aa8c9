import { expect, test } from 'vitest';
import { readBody } from './body.ts';

/** A POST whose body comes in pieces of these sizes, as over HTTP/2 without a length. Takes them out of the list. */
function streamed(left: number[], onCancel = () => {}): Request {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = left.shift();
      if (size === undefined) controller.close();
      else controller.enqueue(new Uint8Array(size).fill(size & 255));
    },
    cancel: onCancel,
  });
  return new Request('https://function.test/', { method: 'POST', body, duplex: 'half' });
}

test('a body in pieces is put together', async () => {
  expect(await readBody(streamed([1, 2, 0, 3]), 6)).toEqual({ bytes: Uint8Array.of(1, 2, 2, 3, 3, 3) });
  expect(await readBody(streamed([]), 6)).toEqual({ bytes: new Uint8Array() });
  expect(await readBody(new Request('https://function.test/'), 6)).toEqual({ bytes: new Uint8Array() });
});

test('one byte too many is refused, and still read to the end', async () => {
  const left = [4, 3, 1000];
  expect(await readBody(streamed(left), 6)).toEqual({ mustClose: false });
  expect(left).toEqual([]);
});

test('an endless body is cut off, and the connection with it', async () => {
  let cancelled = false;
  const endless = streamed(
    Array.from({ length: 100 }, () => 1024 * 1024),
    () => {
      cancelled = true;
    },
  );
  expect(await readBody(endless, 1024)).toEqual({ mustClose: true });
  expect(cancelled).toBe(true);
});

test('a body that says it is far too large is not read at all', async () => {
  const request = new Request('https://function.test/', {
    method: 'POST',
    body: 'x',
    headers: { 'content-length': String(7 * 1024 * 1024) },
  });
  expect(await readBody(request, 1024)).toEqual({ mustClose: true });
  expect(request.bodyUsed).toBe(false);
});
