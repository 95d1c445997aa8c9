import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { launch } from '../../adapter/goplugin/host/launch.ts';
import { buildExecutable } from '../../infra/build/executable.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { acceptedLocal, manifestOf } from '../../infra/build/manifest.ts';
import { putFunction } from '../../infra/lock/put.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { columnCases, columnNames } from './columns.ts';
import type { Word } from './functions/addresses.ts';
import { type Column, type EventsOn, matrix } from './matrix.ts';
import { type Player, playRow } from './play.ts';

let folder: string;
const at = (file: string) => join(folder, file);
const roles: Player[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-faults-'));
  await chmod(folder, 0o755);
  const executable = at('sftpgo-plugin-serverless');
  await buildExecutable(join(import.meta.dirname, '../..'), executable);
  await writePrivateKey(at('adapter.key.json'), newPrivateKey());
  const signer = newPrivateKey();
  await writePrivateKey(at('lock-signer.key.json'), signer);
  await writePublicKeys(at('lock-signer.jwks.json'), [signer]);
  for (const column of columnNames) await build(column);
  await Promise.all(columnNames.map((column) => start(column, executable)));
});
afterAll(async () => {
  for (const { adapter } of roles) await adapter.kill();
  await rm(folder, { recursive: true });
});

/** Bundles the column's function and puts it into the lock, and writes a configuration for it alone. */
async function build(column: Column): Promise<void> {
  const { type, entry, section } = columnCases[column];
  const name = column.toLowerCase();
  const built = await buildFunction({ type, entry, name, outDir: at('out') });
  await copyFile(at(`out/${name}.worker.mjs`), at(`${name}.mjs`));
  await putFunction({
    lockFile: at('bundles.lock.json'),
    signerFile: at('lock-signer.key.json'),
    name: `${name}@live`,
    entry: {
      type,
      target: 'local',
      address: `${name}.mjs`,
      handles: [...built.handles],
      accepts: [acceptedLocal(manifestOf(name, built), `${name}.mjs`)],
      keys: [],
    },
  });
  const keys = [`use: ${name}`, 'timeout: 10s', section].filter((key) => key !== '').join(', ');
  const config = [
    'identity: adapter.key.json',
    'lock: { file: bundles.lock.json }',
    'trust: { file: lock-signer.jwks.json }',
    'local: { memory: 64MiB }',
    `${type}: { ${keys} }`,
  ];
  await writeFile(at(`${name}.yaml`), `${config.join('\n')}\n`);
}

async function start(column: Column, cmd: string): Promise<void> {
  const { type, ask } = columnCases[column];
  const [name, value] = pluginTypes[type].cookie;
  const args = ['serve', '--config', at(`${column.toLowerCase()}.yaml`)];
  const env = { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath };
  const adapter = await launch({ cmd, args, env, cookie: { name, value }, versions: [1] });
  roles.push({ column, adapter, ask: (word) => ask(adapter, word) });
}

const happens: Readonly<Record<EventsOn<'local'>, Word>> = {
  localThrow: 'throw',
  localExit: 'exit',
  localMemory: 'exhaust',
  localLoop: 'loop',
};

test.each(Object.keys(matrix).filter((name): name is EventsOn<'local'> => Object.hasOwn(happens, name)))(
  '%s',
  async (name) => {
    const nothing = () => undefined;
    await playRow(name, roles, { begin: nothing, end: nothing, word: happens[name] });
  },
);

test('every role runs on as the process that was started', () => {
  expect(roles.filter(({ adapter }) => adapter.exited)).toEqual([]);
});
