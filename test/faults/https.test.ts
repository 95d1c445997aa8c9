import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Certificate,
  type CertificateOptions,
  createCertificate,
} from '../../adapter/goplugin/server/certificate.ts';
import { type EventsOn, matrix } from './matrix.ts';
import { playRow } from './play.ts';
import { between, type Happens, proxyRows } from './proxy-rows.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({ trusted: [expired, otherName] });
});
afterAll(async () => {
  await stage?.close();
  vi.restoreAllMocks();
});

const clock = (offsetMs: number): Happens => ({
  begin: () => {
    stage.clock.offsetMs = offsetMs;
  },
  end: () => {
    stage.clock.offsetMs = 0;
  },
});
/** The function's name leads to another address of this machine, where nobody listens on its port, or nowhere. */
const leadsTo = (address: '127.0.0.2' | ''): Happens => ({
  async begin({ proxy }) {
    await writeFile(stage.dnsBroken, address);
    await proxy.drop();
  },
  end: () => rm(stage.dnsBroken, { force: true }),
});
const presents = (present: Certificate) => between(() => ({ kind: 'certificate', present }));
const hourMs = 3_600_000;
const names = ['function.test'];
const certificateOf = (options: CertificateOptions) => createCertificate({ ...options, authority: true });
const stranger = certificateOf({ names });
/** Trusted, so that nothing but this is wrong with them. */
const expired = certificateOf({ names, backdateMs: 2 * hourMs, lifetimeMs: -hourMs });
const otherName = certificateOf({ names: ['elsewhere.test'] });

const happens: Readonly<Record<EventsOn<'https'>, Happens>> = {
  ...proxyRows,
  clockAhead: clock(31_000),
  clockBehind: clock(-31_000),
  clockFarAhead: clock(600_000),
  clockFarBehind: clock(-600_000),
  refused: leadsTo('127.0.0.2'),
  stranger: presents(stranger),
  expired: presents(expired),
  otherName: presents(otherName),
  plainHttp: between(() => ({ kind: 'certificate', present: 'plain http' })),
  dns: leadsTo(''),
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
  ['ECONNREFUSED', 'a port where nobody listens'],
])('the log says %s: %s', (reason) => {
  // where onUnavailable allows, no call fails, and so none is logged
  const failing = stage.roles.filter(({ column }) => column !== 'ipfilterOpen');
  const silent = failing.filter(({ lines }) => !lines.some((line) => line.includes(reason)));
  expect(silent.map(({ column }) => column)).toEqual([]);
});

test('every role runs on as the process that was started', () => {
  expect(stage.roles.filter(({ adapter }) => adapter.exited)).toEqual([]);
});
