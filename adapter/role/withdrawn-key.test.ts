import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { type FunctionServer, startFunction } from '../../test/support/function-server.ts';
import { callOf, recordingLog } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { codeOf } from '../../test/support/policies.ts';
import { makeRoleFolder, type RoleFolder } from '../../test/support/role-folder.ts';
import { Role } from './role.ts';

let folder: RoleFolder;
let served: FunctionServer;
let role: Role<'ipfilter'>;
let arrived: PromiseWithResolvers<void>;
let answer: PromiseWithResolvers<void>;

beforeEach(async () => {
  folder = await makeRoleFolder('http://127.0.0.1:1');
  served = await startFunction(folder);
  await folder.lock({}, { address: served.url });
  role = new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog() });
  await role.refresh();
  arrived = Promise.withResolvers();
  answer = Promise.withResolvers();
  served.intercept = async (_, honest) => {
    arrived.resolve();
    await answer.promise;
    return await honest();
  };
});
afterEach(async () => {
  await role.close();
  await served.close();
  await folder.remove();
  vi.restoreAllMocks();
});

/** A call that is under way while another lock is taken, and what came of it. */
async function duringNewLock(keys: readonly ReturnType<typeof publicOf>[]): Promise<string> {
  const code = codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' })));
  await arrived.promise;
  await folder.lock({ seq: 2 }, { address: served.url, keys: [...keys] });
  await role.refresh();
  answer.resolve();
  return await code;
}

test('a key that leaves the lock does not answer even the calls under way', async () => {
  expect(await duringNewLock([publicOf(newKey())])).toBe('ANSWER_REFUSED');
});

test('a key that stays answers the calls under way, whatever else changed', async () => {
  expect(await duringNewLock([publicOf(newKey()), publicOf(folder.functionKey)])).toBe('answered');
});
