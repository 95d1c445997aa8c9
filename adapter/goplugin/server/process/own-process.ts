import type { HclogWriter } from '../hclog.ts';
import type { PluginServer } from '../serve.ts';
import { watchParent } from './parent.ts';
import { guardStdout } from './stdout-guard.ts';

export interface OwnProcessOptions {
  readonly log: HclogWriter;
  /** How often to look for a change of parent. Default 1 s. */
  readonly parentPollMs?: number;
  /** How long calls in flight and `onShutdown` may take once the host is gone. Default 1 s. */
  readonly farewellMaxMs?: number;
  /** Default `process.exit`. */
  exit?(code: number): void;
}

/** What {@link ownProcess} gives back. */
export interface ProcessOwner {
  /** Ends the process when this server ends, and ends the server when the host is gone. */
  follow(server: PluginServer): void;
  /** Takes every listener off again. */
  release(): void;
}

/** How long the last log lines may take to leave. */
const lastLinesMaxMs = 200;

/** Signals that are meant for the host. */
const hostSignals = ['SIGINT', 'SIGHUP', 'SIGUSR1'] as const;

/**
 * Makes this process behave as a plugin's. Call it first, before `serve`, in a process that is nothing but the
 * plugin:
 *
 * - stdout and console go to the log;
 * - SIGINT, SIGHUP and SIGUSR1 are ignored: they are commands to the host (end, reload, rotate the log), which a
 *   terminal or `systemctl kill` sends to its plugins too. By default the first two would end the process, and
 *   SIGUSR1 would open Node's debugger to every user of the machine;
 * - an uncaught exception or unhandled rejection is logged and the process lives on: to a host a dead plugin is
 *   worse than a failed call;
 * - it ends when the host asked (Shutdown), when no host ever connected, when the parent changes, when stderr is
 *   broken (EPIPE) and at SIGTERM. Nothing else ends it. The socket is removed at the end.
 *
 * @returns the owner; `follow` gives it the server once there is one
 */
export function ownProcess(options: OwnProcessOptions): ProcessOwner {
  const { log, exit = (code) => process.exit(code) } = options;
  let server: PluginServer | undefined;
  let leaving = false;

  const leave = async (reason: string) => {
    if (leaving) return;
    leaving = true;
    log.debug('the plugin ends', { reason });
    await server?.drain(options.farewellMaxMs ?? 1000);
    server?.close();
    await log.flush(lastLinesMaxMs);
    exit(0);
  };
  const onHostSignal = (signal: NodeJS.Signals) =>
    log.trace('signal ignored: it is for the host', { signal });
  const onTerminate = () => void leave('SIGTERM');
  const onUncaught = (error: unknown) => log.error('uncaught exception', { error });
  const onRejected = (error: unknown) => log.error('unhandled rejection', { error });
  const onExit = () => server?.close();

  const unguard = guardStdout(log);
  const unwatch = watchParent(() => void leave('the parent process has changed'), options.parentPollMs);
  log.onBroken(() => void leave('nobody reads stderr'));
  for (const signal of hostSignals) process.on(signal, onHostSignal);
  process.on('SIGTERM', onTerminate);
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onRejected);
  process.on('exit', onExit);

  return {
    follow(followed) {
      server = followed;
      void followed.done.then(async (reason) => {
        if (leaving) return;
        leaving = true;
        log.debug('the plugin ends', { reason });
        await log.flush(lastLinesMaxMs);
        exit(0);
      });
    },
    release() {
      unguard();
      unwatch();
      for (const signal of hostSignals) process.off(signal, onHostSignal);
      process.off('SIGTERM', onTerminate);
      process.off('uncaughtException', onUncaught);
      process.off('unhandledRejection', onRejected);
      process.off('exit', onExit);
    },
  };
}
