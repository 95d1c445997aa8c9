import { setTimeout as sleep } from 'node:timers/promises';
import { readStatuses } from '../../adapter/metrics/status-socket.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import type { CallOutcome, GoHost, LaunchedPlugin } from '../host/driver.ts';
import { type Ground, types } from './ground.ts';
import type { Ledger } from './ledger.ts';
import type { Question } from './questions.ts';

/** The adapter's processes under a Go host, one for each type, and every call that goes through them. */
export interface Adapters {
  readonly pids: ReadonlyMap<PluginTypeName, number>;
  /** Calls that wait for their answer. */
  readonly open: number;
  /** Asks and books it, and what follows. Resolves when all of it is answered. */
  ask(question: Question): Promise<void>;
  /** Counts what the process has counted, kills it, lets calls fail for `ms`, and starts it again. */
  restart(type: PluginTypeName, ms: number): Promise<void>;
  /** No calls for `ms`; what is asked meanwhile is not asked. */
  rest(ms: number): Promise<void>;
  /** Waits for every answer and counts what the processes have counted. Gives the seq each has in force. */
  settle(): Promise<ReadonlyMap<PluginTypeName, number | undefined>>;
  /** Processes that ended by themselves. */
  crashed(): Promise<readonly PluginTypeName[]>;
}

/** Starts them. */
export async function startAdapters(host: GoHost, ground: Ground, ledger: Ledger): Promise<Adapters> {
  const plugins = new Map<PluginTypeName, LaunchedPlugin>();
  const waiting = new Map<PluginTypeName, Set<Promise<void>>>(types.map((type) => [type, new Set()]));
  /** `paused`: nothing is asked; `dead`: there is nobody to ask, and the host has to see that. */
  const state = new Map<PluginTypeName, 'paused' | 'dead'>();
  const pids = new Map<PluginTypeName, number>();

  async function start(type: PluginTypeName): Promise<void> {
    const { executable: cmd, configPath } = ground;
    const env = [`SFTPGO_PLUGIN_SERVERLESS_NODE=${process.execPath}`];
    const plugin = await host.launch({
      type,
      cmd,
      args: ['serve', '--config', configPath],
      env,
      autoMtls: true,
    });
    plugins.set(type, plugin);
    pids.set(type, plugin.pid);
  }
  for (const type of types) await start(type);

  async function call(question: Question): Promise<Question | undefined> {
    const { type, rpc, method, args, n } = question;
    const plugin = plugins.get(type);
    if (plugin === undefined) throw new Error(`${type} was not started`);
    const isDead = state.get(type) === 'dead';
    const outcome = await plugin.call(method, ...args);
    const how = isDead ? goneOr(outcome) : howOf(type, outcome);
    const wrong = how.startsWith('unknown') ? how : question.wrong(how, outcome);
    ledger.ended({ type, rpc, n, how, ...(wrong === undefined ? {} : { wrong }) });
    return question.follows?.(outcome);
  }

  async function converse(question: Question): Promise<void> {
    let next: Question | undefined = question;
    while (next !== undefined) next = state.get(question.type) === 'paused' ? undefined : await call(next);
  }

  async function drained(type: PluginTypeName): Promise<void> {
    await Promise.all(waiting.get(type) ?? []);
  }

  async function count(only: readonly PluginTypeName[]) {
    const statuses = await readStatuses(ground.state);
    return only.map((type) => {
      const status = statuses.find((each) => each.type === type && each.pid === pids.get(type));
      if (status === undefined) throw new Error(`${type} does not say its status`);
      ledger.counted(status);
      return [type, status.seq] as const;
    });
  }

  return {
    pids,
    get open() {
      return [...waiting.values()].reduce((sum, { size }) => sum + size, 0);
    },
    async ask(question) {
      if (state.get(question.type) === 'paused') return;
      const calls = waiting.get(question.type);
      const one: Promise<void> = converse(question).finally(() => calls?.delete(one));
      calls?.add(one);
      await one;
    },
    async restart(type, ms) {
      state.set(type, 'paused');
      await drained(type);
      await count([type]);
      process.kill(pids.get(type) ?? 0, 'SIGKILL');
      pids.delete(type);
      await sleep(100);
      state.set(type, 'dead');
      await sleep(ms);
      state.set(type, 'paused');
      await drained(type);
      await start(type);
      state.delete(type);
    },
    async rest(ms) {
      for (const type of types) state.set(type, 'paused');
      await Promise.all(types.map(drained));
      await sleep(ms);
      state.clear();
    },
    async settle() {
      for (const type of types) state.set(type, 'paused');
      await Promise.all(types.map(drained));
      return new Map(await count(types));
    },
    async crashed() {
      const ended = await Promise.all(
        [...plugins].map(
          async ([type, plugin]) => [type, pids.has(type) && (await plugin.exited())] as const,
        ),
      );
      return ended.filter(([, exited]) => exited).map(([type]) => type);
    },
  };
}

/** What the adapter says in its error, or the SDK in its stead. */
function howOf(type: PluginTypeName, { code, message }: CallOutcome): string {
  if (code === 'OK') return 'ok';
  const said = /\(([A-Z_]+), call [0-9a-f]+\)$/.exec(message)?.[1];
  if (said !== undefined) return said;
  // the SDK makes its own error of NotFound
  return type === 'metadata' && code === 'Unknown' ? 'NOT_FOUND' : `unknown: ${code} ${message}`;
}

function goneOr({ code, message }: CallOutcome): string {
  return code === 'Unavailable' && !message.includes(', call ') ? 'gone' : `unknown: ${code} ${message}`;
}
