import { Agent, request } from 'node:https';
import type { Amount } from '../load.ts';

/** What to send again and again. */
export interface HttpsClientSetup {
  readonly url: string;
  readonly caPem: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The least that a client on node:https is: the same request over kept-alive connections, its answer read to the end.
 * A process of its own, so that its processor time is its own. First message: {@link HttpsClientSetup}; then a load
 * each, answered with its figures.
 */
let setup: HttpsClientSetup | undefined;
let agent = new Agent();

process.on('message', (message: HttpsClientSetup | Amount) => {
  if ('url' in message) {
    setup = message;
    agent = new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256, ca: message.caPem });
    process.send?.('ready');
    return;
  }
  if (setup === undefined) throw new TypeError('a load before the setup');
  // a failure ends this process, and so the load
  void run(setup, message).then((figures) => process.send?.(figures));
});

async function run(to: HttpsClientSetup, { calls, parallel }: Amount): Promise<object> {
  const took: number[] = [];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let call = 0; call < calls; call += 1) {
        const begun = performance.now();
        await roundTrip(to);
        took.push((performance.now() - begun) * 1000);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(took.length * share)];
  return { p50Micros: at(0.5), p99Micros: at(0.99), perSecond: took.length / seconds };
}

function roundTrip(to: HttpsClientSetup): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(to.url, { method: 'POST', agent, headers: to.headers }, (incoming) => {
      if (incoming.statusCode !== 200) reject(new Error(`status ${incoming.statusCode}`));
      incoming.on('data', () => undefined);
      incoming.on('end', resolve);
    });
    outgoing.on('error', (error) => {
      // the server closed an idle connection just as it was used again
      if (outgoing.reusedSocket) roundTrip(to).then(resolve, reject);
      else reject(error);
    });
    outgoing.end(to.body);
  });
}
