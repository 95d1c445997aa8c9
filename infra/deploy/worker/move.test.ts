import { expect, test } from 'vitest';
import type { FoundVersion } from '../../../adapter/targets/worker/found.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import { checkLocked, checkMove } from './move.ts';
import { checkOwner } from './owner.ts';
import type { Session } from './session.ts';

const id = 'office@live';
const workersDev = 'https://office.acme.workers.dev';
const domain = (name: string) => ({ pattern: name, custom_domain: true });

/** A configuration of the Worker `office`, and an API where these versions get calls. */
function configured(own: object, deployed: readonly FoundVersion[] = []): Pick<Session, 'settings' | 'api'> {
  const settings = { file: 'w.jsonc', name: 'office', raw: {}, definedEnvironments: [], ...own };
  const api = {
    subdomain: async () => 'acme',
    deployed: async () => deployed.map((version) => ({ version_id: version.id, percentage: 100 })),
    version: async (_: string, version: string) => deployed.find((one) => one.id === version),
  } as unknown as Session['api'];
  return { settings, api };
}

const version = (url?: string): AcceptedVersion => ({
  version: '00000000-0000-4000-8000-000000000000',
  files: {},
  config: {
    worker: 'office',
    ...(url === undefined ? {} : { 'binding.PLUGIN_URL': { type: 'plain_text', text: url } }),
  },
  inputs: {},
});
const locked = (address: string, ...accepts: AcceptedVersion[]): LockedFunction => ({
  type: 'ipfilter',
  target: 'worker',
  address,
  handles: ['CheckIP'],
  accepts: accepts.length === 0 ? [version()] : accepts,
  keys: [],
});

test.each<[string, object, LockedFunction | undefined]>([
  ['a first deployment', { workers_dev: true }, undefined],
  ['the same address', { workers_dev: true }, locked(workersDev)],
  [
    'a domain in front of the workers.dev that stays',
    { routes: [domain('office.example.com')], workers_dev: true },
    locked(workersDev),
  ],
  [
    'another domain, the old one behind it',
    { routes: ['new.example.com/*', domain('office.example.com')] },
    locked('https://office.example.com'),
  ],
  [
    'back to workers.dev by PLUGIN_URL, with the domain still there',
    { vars: { PLUGIN_URL: workersDev }, routes: [domain('office.example.com')], workers_dev: true },
    locked('https://office.example.com'),
  ],
  [
    'the address said as PLUGIN_URL, or no longer so',
    { workers_dev: true },
    locked(workersDev, version(`${workersDev}/`), version()),
  ],
  [
    'another Worker at another address',
    { name: 'office-2', workers_dev: true },
    locked('https://office.example.com'),
  ],
])('%s: a host finds what its lock says, before and after it has the next one', async (_, own, entry) => {
  await expect(checkMove(configured(own), { id, locked: entry })).resolves.toBeUndefined();
});

test.each<[string, object, LockedFunction, string]>([
  [
    'workers.dev is switched off',
    { routes: [domain('office.example.com')], workers_dev: false },
    locked(workersDev),
    'would not answer any more at https://office.acme.workers.dev',
  ],
  [
    'the old domain is taken away',
    { routes: [domain('new.example.com')] },
    locked('https://office.example.com'),
    'would not answer any more at https://office.example.com',
  ],
  [
    'a proxy comes in front: running versions take no call that is signed for it',
    { vars: { PLUGIN_URL: 'https://proxy.example.com' }, workers_dev: true },
    locked(workersDev),
    'do not answer calls to https://proxy.example.com',
  ],
  [
    'a proxy goes away: running versions take only calls that are signed for it',
    { workers_dev: true },
    locked('https://proxy.example.com', version('https://proxy.example.com')),
    'do not answer calls to https://office.acme.workers.dev',
  ],
  [
    'one of the accepted versions does not answer there',
    { routes: [domain('office.example.com')], workers_dev: true },
    locked(workersDev, version(), version(workersDev)),
    'do not answer calls to https://office.example.com',
  ],
  [
    'another Worker takes the domain over',
    { name: 'office-2', routes: [domain('office.example.com')] },
    locked('https://office.example.com'),
    'Worker office-2 would take over https://office.example.com',
  ],
  [
    'another Worker takes the domain over beside its own',
    { name: 'office-2', routes: [domain('new.example.com'), domain('office.example.com')] },
    locked('https://office.example.com'),
    'Worker office-2 would take over https://office.example.com',
  ],
  [
    'what was locked as https is to be checked as a Worker',
    { workers_dev: true },
    { ...locked(workersDev), target: 'https' },
    'Worker office would take over https://office.acme.workers.dev',
  ],
])('%s: refused before anything is changed', async (_, own, entry, happened) => {
  await expect(checkMove(configured(own), { id, locked: entry })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining(happened),
  });
});

test('calls and addresses are changed by the configuration of the Worker in the lock, which keeps its address', async () => {
  const check = async (own: object) => await checkLocked(configured(own), id, locked(workersDev));
  await expect(check({ workers_dev: true })).resolves.toBeUndefined();
  await expect(check({ routes: [domain('new.example.com')], workers_dev: true })).resolves.toBeUndefined();
  await expect(check({ routes: [domain('new.example.com')] })).rejects.toThrow('would not answer any more');
  await expect(check({ name: 'office-2', workers_dev: true })).rejects.toThrow(
    'in the lock office@live is Worker office',
  );
});

test('a Worker that gets calls is taken over only if it is this function', async () => {
  const running = (text?: string): FoundVersion => ({
    id: 'v1',
    bindings: text === undefined ? [] : [{ name: 'PLUGIN_FUNCTION', type: 'plain_text', text }],
  });
  const check = async (
    deployed: FoundVersion[],
    entry?: LockedFunction,
    owners = new Map<string, string>(),
  ) => await checkOwner(configured({}, deployed), { id, locked: entry }, owners);
  await check([]);
  await check([running(id)]);
  await check([running()], locked(workersDev));
  await expect(check([running()])).rejects.toThrow('Worker office is another program already');
  await expect(check([running('team@live')])).rejects.toThrow('Worker office is team@live already');
  const elsewhere = { ...locked(workersDev), accepts: [{ ...version(), config: { worker: 'other' } }] };
  await expect(check([running()], elsewhere)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  const two = check([], undefined, new Map([['office', 'team@live']]));
  await expect(two).rejects.toThrow('Worker office is team@live already');
});
