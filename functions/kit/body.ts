import { maxDrainBytes } from './limits.ts';

/** A request body that was read to its end, or found too large. */
export type Body =
  | { readonly bytes: Uint8Array }
  | {
      readonly bytes?: undefined;
      /** Unread bytes are left in the connection, which must not carry another request. */
      readonly mustClose: boolean;
    };

/**
 * Reads a whole request body of at most `maxBytes`. A larger one is read and thrown away up to 6 MiB: an
 * answer before the end of the body breaks the next request on a kept-alive connection.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Body> {
  const length = request.headers.get('content-length');
  if (length !== null && Number(length) <= maxBytes)
    return { bytes: new Uint8Array(await request.arrayBuffer()) };
  if (request.body === null) return { bytes: new Uint8Array() };
  if (length !== null && Number(length) > maxDrainBytes) return { mustClose: true };
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = request.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    total += next.value.byteLength;
    if (total > maxDrainBytes) {
      await reader.cancel().catch(() => undefined);
      return { mustClose: true };
    }
    if (total <= maxBytes) chunks.push(next.value);
    else chunks.length = 0;
  }
  return total > maxBytes ? { mustClose: false } : { bytes: concat(chunks, total) };
}

/** The chunks as one; `total` is their length. */
export function concat(
  chunks: readonly Uint8Array[],
  total = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
