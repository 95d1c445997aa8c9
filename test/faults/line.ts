import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to bytes on their way. Of the answer's, if nothing else is said. */
export type Line =
  /** Each piece comes later, in order. */
  | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs?: number }
  | { readonly kind: 'bandwidth'; readonly bytesPerS: number }
  /** A byte at a time. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** RST in place of the answer; `times`: only so often, then nothing is wrong any more. */
  | { readonly kind: 'reset'; readonly times?: number }
  /** RST as soon as a connection was taken, and in place of the request on an open one: so that attempts are counted. */
  | { readonly kind: 'refuse' }
  /** FIN in place of the answer; requests are still taken. */
  | { readonly kind: 'half-close' }
  /** Connections are taken, and bytes of both directions vanish. */
  | { readonly kind: 'blackhole' }
  /** A bit of every piece is flipped. */
  | { readonly kind: 'flip' };

const resets = new WeakMap<Line, number>();

/** Joins two sockets by a line whose fault is asked for at every piece. */
export function onLine(client: Socket, server: Socket, faultNow: () => Line | undefined): void {
  let last = Promise.resolve();
  client.on('error', () => undefined);
  server.on('error', () => client.resetAndDestroy());
  if (faultNow()?.kind === 'refuse') {
    client.resetAndDestroy();
    return;
  }
  client.on('data', (piece) => {
    const fault = faultNow();
    if (fault?.kind === 'refuse') client.resetAndDestroy();
    else if (fault?.kind !== 'blackhole') server.write(piece);
  });
  client.on('end', () => {
    server.end();
    // a client that waits for nothing more: without the function's FIN this half would stay open
    if (client.writableEnded) client.destroy();
  });
  server.on('data', (piece: Buffer) => {
    last = last.then(() => deliver(client, piece, faultNow()));
  });
  server.on('end', () => {
    last = last.then(() => void client.end());
  });
}

async function deliver(client: Socket, piece: Buffer, fault: Line | undefined): Promise<void> {
  switch (fault?.kind) {
    case 'latency':
      await sleep(fault.ms + Math.random() * (fault.jitterMs ?? 0));
      client.write(piece);
      return;
    case 'bandwidth':
      for (let at = 0; at < piece.length && !client.destroyed; at += 16) {
        await sleep((16 / fault.bytesPerS) * 1000);
        client.write(piece.subarray(at, at + 16));
      }
      return;
    case 'drip':
      for (const byte of piece) {
        if (client.destroyed) return;
        client.write(Uint8Array.of(byte));
        await sleep(fault.everyMs);
      }
      return;
    case 'reset': {
      const done = resets.get(fault) ?? 0;
      if (done < (fault.times ?? Number.POSITIVE_INFINITY)) {
        resets.set(fault, done + 1);
        client.resetAndDestroy();
      } else client.write(piece);
      return;
    }
    case 'half-close':
      client.end();
      return;
    case 'blackhole':
      return;
    case 'flip':
      client.write(piece.map((byte, at) => (at === piece.length >> 1 ? byte ^ 1 : byte)));
      return;
    default:
      client.write(piece);
  }
}
