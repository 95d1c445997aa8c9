import { parseArgs } from 'node:util';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { Board, type Case } from './board.ts';
import { authCases } from './cases/auth.ts';
import { eventsearcherCases, notifierCases } from './cases/events.ts';
import { kmsCases } from './cases/kms.ts';
import { metadataCases } from './cases/metadata.ts';
import { playLambda } from './play-lambda.ts';
import { playLocal } from './play-local.ts';
import { playOffice } from './play-office.ts';
import { formatTable } from './row.ts';
import { outputFolder, setStage } from './stage.ts';

/** `npm run demo`: every RPC of every type, all the way, then somebody tampers. Exit 0: every row as expected. */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const started = performance.now();
const say = (text: string) =>
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}\n`);
const log = (line: string) => {
  if (options.log) process.stderr.write(`         ${line}\n`);
};
const board = new Board((row) => {
  if (options.json) process.stdout.write(`${JSON.stringify(row)}\n`);
});

/** In SFTPGo's order of life: somebody logs in, a secret is opened, things happen and are looked up. */
const lambdaTypes: readonly (readonly [type: PluginTypeName, name: string, cases: readonly Case[]])[] = [
  ['auth', 'team', authCases()],
  ['kms', 'vault', kmsCases()],
  ['notifier', 'events', notifierCases],
  ['eventsearcher', 'search', eventsearcherCases],
  ['metadata', 'mtimes', metadataCases],
];

const stage = await setStage(say);
try {
  for (const [type, name, cases] of lambdaTypes) {
    if (options.only !== undefined && options.only !== type) continue;
    say(`${type} on Lambda: calls, then tampering`);
    await playLambda(stage, board, { type, name, cases, log });
  }
  if (options.only === undefined || options.only === 'ipfilter') {
    say('ipfilter in workerd, behind its own TLS socket: calls, then tampering');
    await playOffice(stage, board, log);
    say('ipfilter inside the adapter (local): calls, then tampering');
    await playLocal(stage, board, log);
  }
} finally {
  await stage.close();
}

const wrong = board.rows.filter(({ ok }) => !ok);
if (!options.json) {
  const rpcs = new Set(board.rows.filter(({ ok }) => ok).map(({ type, rpc }) => `${type}/${rpc}`));
  process.stdout.write(
    `\n${formatTable(board.rows)}\n\n` +
      'Latency in ms. Evidence: platform = the platform ran exactly the locked code; claimed = the function signs its\n' +
      `build id, nobody looked at what is deployed. What crossed the wire: ${outputFolder.split('/').at(-1)}/*.jsonl\n` +
      `${rpcs.size} RPCs, ${board.rows.length - wrong.length} of ${board.rows.length} rows as expected\n`,
  );
}
say(wrong.length === 0 ? 'done' : `${wrong.length} rows are not as expected`);
process.exitCode = wrong.length === 0 ? 0 : 1;
