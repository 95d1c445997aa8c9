import { readFile } from 'node:fs/promises';
import { newPrivateKey } from '../../adapter/cli/keys/files.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { startAdapter } from './adapter-host.ts';
import type { Board, Case, Place } from './board.ts';
import type { Stage } from './stage.ts';

interface LambdaPlay {
  readonly type: PluginTypeName;
  /** Of the function. */
  readonly name: string;
  readonly cases: readonly Case[];
  readonly log: (line: string) => void;
}

/**
 * One type on Lambda: its cases; each of its RPCs with one byte of the answer changed; then an old answer, another
 * function's key, and a zip that was rebuilt from a changed source.
 */
export async function playLambda(
  stage: Stage,
  board: Board,
  { type, name, cases, log }: LambdaPlay,
): Promise<void> {
  const { lambda, wire } = stage;
  const { host } = lambda;
  const place: Place = { type, target: 'lambda', runtime: stage.lambdaRuntime };
  const first = cases[0];
  if (first === undefined) return;
  const adapter = await startAdapter(type, lambda.configPath, log);
  try {
    for (const one of cases) await board.call(adapter, place, one);
    wire.tampering = 'flip-a-byte';
    for (const rpc of new Set(cases.map((one) => one.rpc))) {
      const one = cases.find((candidate) => candidate.rpc === rpc) ?? first;
      await board.call(adapter, place, { ...one, name: 'one byte of the answer', expect: 'refused' });
    }
    wire.tampering = 'replay';
    await board.call(adapter, place, { ...first, name: 'an old answer again', expect: 'refused' });
  } finally {
    wire.tampering = 'none';
    await adapter.kill();
  }

  const { env, zip, locked, version } = lambda.deployed(name);
  const code = { env, timeoutS: 15 };
  const accepts = locked.accepts.filter((accepted) => accepted.version === version);
  const relock = async (deployed: string) =>
    await lambda.relock(name, { accepts: accepts.map((accepted) => ({ ...accepted, version: deployed })) });
  const attack = async (attackName: string) => {
    const attacked = await startAdapter(type, lambda.configPath, log);
    try {
      await board.call(attacked, place, { ...first, name: attackName, expect: 'refused' });
    } finally {
      await attacked.kill();
    }
  };

  const parameter = `/sftpgo/${name}-stranger`;
  host.parameters.set(parameter, JSON.stringify(newPrivateKey()));
  await relock(
    host.publish(name, {
      ...code,
      zip: await readFile(zip),
      env: { ...env, PLUGIN_KEY_PARAMETER: parameter },
    }),
  );
  await attack("another function's key");

  const rebuilt = Buffer.from(await readFile(zip));
  rebuilt.writeUInt8((rebuilt.at(-1) ?? 0) ^ 1, rebuilt.length - 1);
  await relock(host.publish(name, { ...code, zip: rebuilt }));
  await attack('rebuilt from changed source');
}
