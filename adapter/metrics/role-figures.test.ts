import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { sourceBuildId, startFunction } from '../../test/support/function-server.ts';
import { callOf, recordingLog } from '../../test/support/invoke.ts';
import { codeOf } from '../../test/support/policies.ts';
import { makeRoleFolder, type RoleFolder } from '../../test/support/role-folder.ts';
import { Role } from '../role/role.ts';
import { RoleFigures } from './role-figures.ts';

let folder: RoleFolder;
let figures: RoleFigures;
let role: Role<'ipfilter'>;

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  folder = await makeRoleFolder('http://127.0.0.1:1');
  const log = recordingLog();
  figures = new RoleFigures('ipfilter', log);
  role = new Role({ type: 'ipfilter', configPath: folder.configPath, log, figures });
});
afterEach(async () => {
  await role.close();
  await figures.close();
  await folder.remove();
  vi.restoreAllMocks();
});

test('a request that nobody answers counts for the time of the function', async () => {
  await role.refresh();
  const call = callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' });
  expect(await codeOf(role.handle(call))).toBe('UNREACHABLE');
  const times = figures.metrics.samples().filter(({ family }) => family === 'function_seconds');
  // sent once more: it surely did not run
  expect(times).toMatchObject([{ labels: { rpc: 'CheckIP', target: 'https' }, value: { count: 2 } }]);
});

test('the age of the evidence is that of the code locked now: absent until an answer has proved it', async () => {
  const served = await startFunction(folder);
  const isKnown = () => figures.metrics.samples().some(({ family }) => family === 'evidence_age_seconds');
  const see = async (ip: string) =>
    await codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip, protocol: 'SSH' })));
  try {
    await folder.lock({}, { address: served.url });
    await role.refresh();
    expect(isKnown()).toBe(false);
    expect([await see('198.51.100.7'), isKnown()]).toEqual(['answered', true]);
    await folder.lock({ seq: 2 }, { address: served.url });
    await role.refresh();
    expect(isKnown()).toBe(true);
    const versions = ['f'.repeat(64), sourceBuildId];
    const accepts = versions.map((version) => ({ version, files: {}, config: {}, inputs: {} }));
    await folder.lock({ seq: 3 }, { address: served.url, accepts });
    await role.refresh();
    expect(isKnown()).toBe(false);
    expect([await see('198.51.100.8'), isKnown()]).toEqual(['answered', true]);
  } finally {
    await served.close();
  }
});

test('calls are counted under the target of the function in force, and under none before there is one', async () => {
  const call = { rpc: 'CheckIP', ms: 1, trace: {}, error: undefined };
  await rm(folder.at('bundles.lock.json'));
  await role.refresh();
  figures.count(call);
  await folder.lock();
  await role.refresh();
  figures.count(call);
  figures.count(call);
  const counted = figures.metrics.samples().filter(({ family }) => family === 'calls_total');
  expect(counted.map(({ labels, value }) => [labels['target'], value])).toEqual([
    ['none', 1],
    ['https', 2],
  ]);
});
