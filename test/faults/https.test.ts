import { rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Certificate,
  type CertificateOptions,
  createCertificate,
} from '../../adapter/goplugin/server/certificate.ts';
import { type EventsOn, matrix } from './matrix.ts';
import { playRow } from './play.ts';
import type { Fault, WholeAnswer } from './proxy.ts';
import { type Role, type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({ trusted: [expired, otherName] });
});
afterAll(async () => {
  await stage?.close();
  vi.restoreAllMocks();
});

interface Happens {
  begin(role: Role): Promise<unknown> | unknown;
  end(role: Role): Promise<unknown> | unknown;
}

/** A fault of the proxy, made anew for each role. */
const between = (fault: () => Fault): Happens => ({
  begin: ({ proxy }) => proxy.set(fault()),
  end: ({ proxy }) => proxy.set(undefined),
});
const clock = (offsetMs: number): Happens => ({
  begin: () => {
    stage.clock.offsetMs = offsetMs;
  },
  end: () => {
    stage.clock.offsetMs = 0;
  },
});
const gives = (give: (honest: WholeAnswer) => WholeAnswer) => between(() => ({ kind: 'answer', give }));
const page = (status: number, ...headers: readonly string[]) =>
  gives(() => ({ status, headers: ['content-type', 'text/html', ...headers], body: Buffer.from('<html>') }));
const presents = (present: Certificate) => between(() => ({ kind: 'certificate', present }));
const hourMs = 3_600_000;
const names = ['function.test'];
const certificateOf = (options: CertificateOptions) => createCertificate({ ...options, authority: true });
const stranger = certificateOf({ names });
/** Trusted, so that nothing but this is wrong with them. */
const expired = certificateOf({ names, backdateMs: 2 * hourMs, lifetimeMs: -hourMs });
const otherName = certificateOf({ names: ['elsewhere.test'] });

/** The headers without those that would give a changed body away. */
const withLength = (headers: readonly string[], length: number) =>
  headers.map((value, at) => (headers[at - 1]?.toLowerCase() === 'content-length' ? String(length) : value));

const happens: Readonly<Record<EventsOn<'https'>, Happens>> = {
  resetOnce: between(() => ({ kind: 'reset', times: 1 })),
  clockAhead: clock(31_000),
  clockBehind: clock(-31_000),
  clockFarAhead: clock(600_000),
  clockFarBehind: clock(-600_000),
  coldStart: between(() => ({ kind: 'latency', ms: 2500 })),
  latency: between(() => ({ kind: 'latency', ms: 100, jitterMs: 200 })),
  reset: between(() => ({ kind: 'reset' })),
  refused: between(() => ({ kind: 'refuse' })),
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
  stranger: presents(stranger),
  expired: presents(expired),
  otherName: presents(otherName),
  plainHttp: between(() => ({ kind: 'certificate', present: 'plain http' })),
  dns: {
    async begin({ proxy }) {
      await writeFile(stage.dnsBroken, '');
      await proxy.drop();
    },
    end: () => rm(stage.dnsBroken, { force: true }),
  },
};

test.each(Object.keys(matrix).filter((name): name is EventsOn<'https'> => Object.hasOwn(happens, name)))(
  '%s',
  async (name) => {
    await playRow(name, stage.roles, happens[name]);
  },
);

test.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'a certificate that nobody trusts'],
  ['CERT_HAS_EXPIRED', 'one that has expired'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'one for another name'],
  ['EAI_AGAIN', 'a name that does not resolve'],
])('the log says %s: %s', (reason) => {
  // where onUnavailable allows, no call fails, and so none is logged
  const failing = stage.roles.filter(({ column }) => column !== 'ipfilterOpen');
  const silent = failing.filter(({ lines }) => !lines.some((line) => line.includes(reason)));
  expect(silent.map(({ column }) => column)).toEqual([]);
});

test('every role runs on as the process that was started', () => {
  expect(stage.roles.filter(({ adapter }) => adapter.exited)).toEqual([]);
});
