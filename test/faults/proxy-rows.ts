import { gzipSync } from 'node:zlib';
import type { EventsOn } from './matrix.ts';
import type { Player } from './play.ts';
import type { Fault, FaultProxy, WholeAnswer } from './proxy.ts';

/** A player with the proxy between its adapter and its function. */
export interface ProxiedPlayer extends Player {
  readonly proxy: FaultProxy;
}

/** How a row begins and ends. */
export interface Happens {
  begin(player: ProxiedPlayer): Promise<unknown> | unknown;
  end(player: ProxiedPlayer): Promise<unknown> | unknown;
}

/** A fault of the proxy, made anew for each player. */
export const between = (fault: () => Fault): Happens => ({
  begin: ({ proxy }) => proxy.set(fault()),
  end: ({ proxy }) => proxy.set(undefined),
});
const gives = (give: (honest: WholeAnswer) => WholeAnswer) => between(() => ({ kind: 'answer', give }));
const page = (status: number, ...headers: readonly string[]) =>
  gives(() => ({ status, headers: ['content-type', 'text/html', ...headers], body: Buffer.from('<html>') }));

/** The headers without those that would give a changed body away. */
const withLength = (headers: readonly string[], length: number) =>
  headers.map((value, at) => (headers[at - 1]?.toLowerCase() === 'content-length' ? String(length) : value));

/** The rows that the proxy alone makes happen, whatever runs the function behind it. */
export const proxyRows = {
  resetOnce: between(() => ({ kind: 'reset', times: 1 })),
  latency: between(() => ({ kind: 'latency', ms: 100, jitterMs: 200 })),
  reset: between(() => ({ kind: 'reset' })),
  turnedAway: between(() => ({ kind: 'refuse' })),
  halfClose: between(() => ({ kind: 'half-close' })),
  blackhole: between(() => ({ kind: 'blackhole' })),
  drip: between(() => ({ kind: 'drip', everyMs: 50 })),
  bandwidth: between(() => ({ kind: 'bandwidth', bytesPerS: 100 })),
  slow: between(() => ({ kind: 'bandwidth', bytesPerS: 16_384 })),
  wrongBytes: between(() => ({ kind: 'flip' })),
  wrongBody: gives((honest) => ({
    ...honest,
    body: Buffer.concat([honest.body, Buffer.from(' ')]),
    headers: withLength(honest.headers, honest.body.length + 1),
  })),
  otherAnswer: {
    async begin({ proxy, ask }) {
      let first: WholeAnswer | undefined;
      const give = (honest: WholeAnswer) => {
        first ??= honest;
        return first;
      };
      await proxy.set({ kind: 'answer', give });
      await ask();
    },
    end: ({ proxy }) => proxy.set(undefined),
  },
  badGateway: page(502),
  redirect: page(301, 'location', 'https://function.test/'),
  unauthorized: page(401),
  tooMany: page(429),
  gzip: gives((honest) => {
    const body = gzipSync(honest.body);
    return {
      ...honest,
      body,
      headers: [...withLength(honest.headers, body.length), 'content-encoding', 'gzip'],
    };
  }),
  truncated: gives((honest) => ({ ...honest, cutAfterBytes: 1 })),
} as const satisfies Partial<Readonly<Record<EventsOn<'https'>, Happens>>>;
