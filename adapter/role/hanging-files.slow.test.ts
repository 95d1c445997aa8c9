import { stat } from 'node:fs/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf, recordingLog } from '../../test/support/invoke.ts';
import { codeOf } from '../../test/support/policies.ts';
import { makeRoleFolder } from '../../test/support/role-folder.ts';
import { loadRole } from '../config/load-role.ts';
import { Role } from './role.ts';

vi.mock('../config/load-role.ts', { spy: true });
vi.mock('node:fs/promises', { spy: true });

const hang = () => new Promise<never>(() => undefined);
const undo: (() => unknown)[] = [];
afterEach(async () => {
  vi.resetAllMocks();
  for (const step of undo.splice(0).reverse()) await step();
});

const call = (method: 'checkIP' | 'reload') => callOf(IPFilter.method[method], {}, { timeoutMs: 50 });

async function newRole(): Promise<Role<'ipfilter'>> {
  const folder = await makeRoleFolder('http://127.0.0.1:1');
  const role = new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog(), pollMs: 5 });
  undo.push(folder.remove, () => void role.close());
  return role;
}

test('a call is answered in time though the files cannot be read to their end', async () => {
  vi.mocked(loadRole).mockImplementation(hang);
  const role = await newRole();
  role.start();
  expect(await codeOf(role.handle(call('checkIP')))).toBe('DEADLINE');
});

test('a Reload is answered in time though the files cannot be read to their end', async () => {
  const role = await newRole();
  await role.refresh();
  vi.mocked(loadRole).mockImplementation(hang);
  expect(await codeOf(role.handle(call('reload')))).toBe('DEADLINE');
});

test('a file system that hangs is asked once, not at every poll', async () => {
  const role = await newRole();
  role.start();
  await role.refresh();
  vi.mocked(stat).mockImplementation(hang);
  vi.mocked(stat).mockClear();
  await vi.waitFor(() => expect(stat).toHaveBeenCalled());
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(stat).toHaveBeenCalledTimes(1);
});
