import { setTimeout as sleep } from 'node:timers/promises';
import { throttled } from '../runtimes/lambda-host.ts';
import type { Adapters } from './adapters.ts';
import { type Ground, type Remote, types } from './ground.ts';
import { deadly, reload } from './questions.ts';

/** What happens to a soak; each resolves when all is well again. */
export interface Event {
  readonly title: string;
  run(): Promise<void>;
}

/** Longer than the adapter takes to look at its files again. */
const seenMs = 6500;
/** Numbers of questions that kill: the load does not come to them. */
const firstDeadly = 7_000_000;

/** Kills and cuts: what happens beyond the adapter. */
export function outsideEvents({ remotes, lambda }: Ground, adapters: Adapters): readonly Event[] {
  let dead = firstDeadly;
  const fault = async (remote: Remote, kind: Parameters<Remote['proxy']['set']>[0], ms: number) => {
    await remote.proxy.set(kind);
    await sleep(ms);
    await remote.proxy.set(undefined);
  };
  const onLambda = async (answer: NonNullable<typeof lambda.fault>, ms: number) => {
    lambda.fault = answer;
    await sleep(ms);
    lambda.fault = undefined;
  };
  const ofRemotes = remotes.flatMap((remote): Event[] => [
    {
      title: `function killed, started again: ${remote.type}`,
      async run() {
        await remote.kill();
        await sleep(1500);
        await remote.start();
      },
    },
    { title: 'network: connections refused', run: () => fault(remote, { kind: 'refuse' }, 2000) },
    { title: 'network: nothing answers', run: () => fault(remote, { kind: 'blackhole' }, 4000) },
    { title: 'network: cut once in mid call', run: () => fault(remote, { kind: 'reset', times: 1 }, 1000) },
    {
      title: 'network: 200 ms slower',
      run: () => fault(remote, { kind: 'latency', ms: 200, jitterMs: 50 }, 3000),
    },
  ]);
  return [
    ...ofRemotes,
    { title: 'Lambda throttles', run: () => onLambda(() => throttled, 2000) },
    { title: 'Lambda: connections cut', run: () => onLambda(() => 'reset', 2000) },
    { title: 'Lambda does not answer', run: () => onLambda(() => 'hang', 4000) },
    {
      title: 'function on Lambda ends its process',
      async run() {
        dead += 1;
        await adapters.ask(deadly(dead));
      },
    },
  ];
}

/** Edits of the host's files, good and bad. */
export function fileEvents(ground: Ground): readonly Event[] {
  const { files } = ground;
  const spoiled = (
    title: string,
    file: Parameters<Ground['spoil']>[0],
    text: () => Promise<string> | string,
  ): Event => ({
    title,
    async run() {
      await ground.spoil(file, await text());
      await sleep(seenMs);
      await ground.write();
      await sleep(seenMs);
    },
  });
  const edited = (title: string, edit: () => void): Event => ({
    title,
    async run() {
      edit();
      await ground.write();
      await sleep(seenMs);
    },
  });
  return [
    spoiled('configuration broken, mended', 'serverless.yaml', () => 'identity: [adapter.key.json\n'),
    spoiled('lock cut in half, mended', 'bundles.lock.json', async () =>
      (await ground.lockText(files.seq + 1)).slice(0, 500),
    ),
    spoiled('lock older than the one in force, mended', 'bundles.lock.json', () =>
      ground.lockText(files.seq - 1),
    ),
    spoiled('key cut in half, mended', 'adapter.key.json', () => '{"kty":"OKP","crv":"Ed25519"'),
    edited('configuration changed', () => {
      files.timeoutMs = files.timeoutMs === 3000 ? 2900 : 3000;
    }),
    edited('lock with a new seq', () => {
      files.seq += 1;
    }),
    edited('key changed', () => {
      files.key = files.key === 0 ? 1 : 0;
    }),
    ...types.map((type) =>
      edited('lock with a changed entry', () => {
        files.seq += 1;
        files.edition[type] = (files.edition[type] ?? 0) + 1;
      }),
    ),
  ];
}

/** What the host does: reloads, and the adapter's process killed and started again. */
export function hostEvents(adapters: Adapters): {
  readonly reloads: Event;
  readonly restarts: readonly Event[];
} {
  return {
    reloads: { title: 'Reload of SFTPGo', run: () => adapters.ask(reload) },
    restarts: types.map((type) => ({
      title: 'adapter killed (SIGKILL), started again',
      run: () => adapters.restart(type, 1000),
    })),
  };
}
