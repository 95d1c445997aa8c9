import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { startFunction } from '../../test/support/function-server.ts';
import { callOf, recordingLog } from '../../test/support/invoke.ts';
import { makeRoleFolder } from '../../test/support/role-folder.ts';
import { Role } from './role.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

test('what a role has read before is given back: edits of its files do not add up', async () => {
  const folder = await makeRoleFolder('http://127.0.0.1:1');
  const server = await startFunction(folder);
  await folder.lock({}, { address: server.url });
  const role = new Role({
    type: 'ipfilter',
    configPath: folder.configPath,
    log: recordingLog(),
    pollMs: 3_600_000,
    retireMs: 10,
  });
  const replaced: WeakRef<object>[] = [];
  for (let edit = 0; edit < 5; edit += 1) {
    await folder.configure([`timeout: ${1000 + edit}ms`]);
    await role.refresh();
    replaced.push(new WeakRef((await role.current()).verifier));
    await role.handle(callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' }));
  }
  await expect
    .poll(async () => {
      await sleep(20);
      collect();
      return replaced.map((each) => each.deref() !== undefined);
    })
    .toEqual([false, false, false, false, true]);
  await role.close();
  await server.close();
  await folder.remove();
});
