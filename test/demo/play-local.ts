import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptedLocal } from '../../infra/build/manifest.ts';
import { putFunction } from '../../infra/lock/put.ts';
import { startAdapter } from './adapter-host.ts';
import type { Board, Place } from './board.ts';
import { ipfilterCases, officeCheck } from './cases/ipfilter.ts';
import type { Stage } from './stage.ts';

const place: Place = { type: 'ipfilter', target: 'local', runtime: 'worker_thread' };

/** ipfilter in a thread of the adapter, from the bytes it hashed; then one byte of the file is changed. */
export async function playLocal(stage: Stage, board: Board, log: (line: string) => void): Promise<void> {
  const { folder, lockFile, signerFile, manifest, bundle } = stage.office;
  const address = 'out/office.worker.mjs';
  await putFunction({
    lockFile,
    signerFile,
    name: 'office-local@live',
    entry: {
      type: 'ipfilter',
      target: 'local',
      address,
      handles: [...manifest.handles],
      accepts: [acceptedLocal(manifest, 'office.worker.mjs')],
      keys: [],
    },
  });
  const configPath = join(folder, 'local.yaml');
  await writeFile(
    configPath,
    'identity: adapter.key.json\nlock: { file: bundles.lock.json }\ntrust: { file: lock-signer.jwks.json }\n' +
      'ipfilter: { use: office-local }\n',
  );
  const play = async (cases: typeof ipfilterCases) => {
    const adapter = await startAdapter('ipfilter', configPath, log);
    try {
      for (const one of cases) await board.call(adapter, place, one);
    } finally {
      await adapter.kill();
    }
  };
  await play(ipfilterCases);
  await appendFile(bundle, '\n');
  await play([officeCheck('one byte of the file', 'refused')]);
}
