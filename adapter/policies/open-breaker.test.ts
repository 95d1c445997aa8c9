import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Auth } from '../../proto/gen/sftpgo/auth_pb.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../proto/gen/sftpgo/kms_pb.ts';
import { Metadata } from '../../proto/gen/sftpgo/metadata_pb.ts';
import { Notifier } from '../../proto/gen/sftpgo/notifier_pb.ts';
import { Searcher } from '../../proto/gen/sftpgo/searcher_pb.ts';
import { callOf } from '../../test/support/invoke.ts';
import { codeOf, failure, scripted } from '../../test/support/policies.ts';
import { parseConfig } from '../config/parse.ts';
import type { SectionName } from '../config/schema.ts';
import type { Call } from '../shapes.ts';
import { compose } from './compose.ts';
import { policiesOf } from './index.ts';

const config = parseConfig(
  `identity: adapter.key.json
lock: { file: bundles.lock.json }
trust: { file: signers.jwks.json }
auth: { use: team }
kms: { use: vault }
ipfilter: { use: office, onUnavailable: deny }
notifier: { use: events, instance: node1 }
eventsearcher: { use: search }
metadata: { use: mtimes }
`,
  'serverless.yaml',
);
const user = Buffer.from(
  '{"id":7,"username":"bob","status":1,"home_dir":"/srv/bob","permissions":{"/":["list"]}}',
);

/** A call of each type; `n` is what it is about. */
const calls: Readonly<Record<SectionName, (n: number) => Call>> = {
  auth: () => callOf(Auth.method.checkUserAndPass, { username: 'bob', password: 'x', protocol: 'SSH', user }),
  kms: (n) => callOf(KMS.method.decrypt, { payload: btoa(`secret ${n}`), url: 'awskms://alias/sftpgo' }),
  ipfilter: (n) => callOf(IPFilter.method.checkIP, { ip: `198.51.100.${n}`, protocol: 'SSH' }),
  notifier: (n) => callOf(Notifier.method.sendFsEvent, { timestamp: BigInt(n), username: 'bob' }),
  eventsearcher: () => callOf(Searcher.method.searchFsEvents, { limit: 10, fsProvider: -1 }),
  metadata: () => callOf(Metadata.method.getModificationTime, { storageId: 's3://team', objectPath: '/a' }),
};
const types = Object.keys(calls) as SectionName[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  vi.spyOn(console, 'warn').mockReturnValue();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A role whose function answers nothing in time. */
function roleOf<T extends SectionName>(type: T) {
  const section = config[type];
  if (section === undefined) throw new Error(`no ${type}`);
  const next = scripted(failure('DEADLINE'));
  const handle = compose(policiesOf(type, section), next);
  return { next, ask: (n: number) => codeOf(handle(calls[type](n))) };
}

/** Calls until the function is not asked any more. */
async function opened(type: SectionName) {
  const role = roleOf(type);
  for (let n = 0; n < 10; n += 1) expect(await role.ask(n)).toBe('DEADLINE');
  expect(role.next.calls).toHaveLength(10);
  return role;
}

test.each(types)('%s: with its breaker open, a call sends nothing and waits for nothing', async (type) => {
  const { ask, next } = await opened(type);
  for (let n = 100; n < 110; n += 1) {
    let turnIsOver = false;
    const turn = setImmediate(() => {
      turnIsOver = true;
    });
    expect(await ask(n)).toBe('UNREACHABLE');
    expect(turnIsOver).toBe(false);
    clearImmediate(turn);
  }
  expect(next.calls).toHaveLength(10);
});

test.each(types)('%s: its open breaker stops no other plugin', async (type) => {
  await opened(type);
  for (const other of types) {
    const { ask, next } = roleOf(other);
    expect([await ask(1), next.calls.length]).toEqual(['DEADLINE', 1]);
  }
});
