import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newPrivateKey } from '../../adapter/cli/keys/files.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { exampleEntry } from '../runtimes/deployment.ts';
import { startAdapter } from './adapter-host.ts';
import type { Board, Place } from './board.ts';
import { ipfilterCases, officeCheck } from './cases/ipfilter.ts';
import { outputFolder, type Stage } from './stage.ts';
import { startWireProxy } from './wire-proxy.ts';

const place: Place = { type: 'ipfilter', target: 'https', runtime: 'workerd' };

/** Bundles the example with another default rule: another build id. */
async function buildChanged(folder: string): Promise<string> {
  const changed = join(folder, 'changed.ts');
  const source = await readFile(exampleEntry, 'utf8');
  const rules = JSON.stringify(join(exampleEntry, '../index.ts'));
  await writeFile(
    changed,
    source.replace("'./index.ts'", rules).replace("default: 'deny'", "default: 'allow'"),
  );
  await buildFunction({
    entry: changed,
    name: 'changed',
    type: 'ipfilter',
    outDir: folder,
    targets: ['worker'],
  });
  return join(folder, 'changed.worker.mjs');
}

/** ipfilter in workerd over its own TLS socket; then through a man in the middle whose certificate is trusted. */
export async function playOffice(stage: Stage, board: Board, log: (line: string) => void): Promise<void> {
  const { office } = stage;
  await office.lockAt((await office.start()).url);
  const adapter = await startAdapter('ipfilter', office.configPath, log);
  try {
    for (const one of ipfilterCases) await board.call(adapter, place, one);
  } finally {
    await adapter.kill();
  }
  const proxy = await startWireProxy({ tls: office.tls, logFile: join(outputFolder, 'wire-https.jsonl') });
  try {
    const bundle = await buildChanged(office.folder);
    const [genuine, strangerKey, rebuilt] = await Promise.all([
      office.start({ publicUrl: proxy.url }),
      office.start({ publicUrl: proxy.url, key: newPrivateKey() }),
      office.start({ publicUrl: proxy.url, bundle }),
    ]);
    await office.lockAt(proxy.url, { section: 'cache: { entries: 0 }' });
    const attacked = await startAdapter('ipfilter', office.configPath, log);
    const attack = async (upstream: string, tampering: typeof proxy.tampering, name: string) => {
      Object.assign(proxy, { upstream, tampering });
      const genuineAnswer = upstream === genuine.url && tampering === 'none';
      await board.call(attacked, place, officeCheck(name, genuineAnswer ? 'allowed' : 'refused'));
    };
    try {
      await attack(genuine.url, 'none', 'through a proxy, untouched');
      await attack(genuine.url, 'flip-a-byte', 'one byte of the answer');
      proxy.tampering = 'flip-a-byte';
      await board.call(attacked, place, { rpc: 'Reload', name: 'one byte of the answer', expect: 'refused' });
      await attack(genuine.url, 'replay', 'an old answer again');
      await attack(strangerKey.url, 'none', "another function's key");
      await attack(rebuilt.url, 'none', 'rebuilt from changed source');
      await attack(genuine.url, 'none', 'the genuine one again');
    } finally {
      await attacked.kill();
    }
  } finally {
    await proxy.close();
  }
}
