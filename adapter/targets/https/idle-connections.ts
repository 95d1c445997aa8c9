import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';

/** What lay idle for so long may have been ended by the server meanwhile, in ms: none waits less. */
const minIdleMs = 1000;
/** Such an end is on its way already when the request leaves: it is there within a round trip, in ms. */
const maxCrossingMs = 500;

const endedIdle = Symbol('the connection had lain idle');

/**
 * Marks the errors of requests over connections that lay idle for a second or more and ended as soon as they were used
 * again: a server ends what is idle, and its word may cross with ours. After a pause that can happen to all connections at
 * once, so with the first one the others that lie idle are closed: the next request gets a new one.
 *
 * Takes an agent that keeps connections to one server, and gives the same one.
 */
export function markIdleEnds<A extends Agent>(agent: A): A {
  const idleSinceMs = new WeakMap<Duplex, number>();
  const isIdle = (socket: Duplex) =>
    performance.now() - (idleSinceMs.get(socket) ?? Number.POSITIVE_INFINITY) >= minIdleMs;
  agent.on('free', (socket: Duplex) => idleSinceMs.set(socket, performance.now()));
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    if (!isIdle(socket)) return;
    const usedMs = performance.now();
    // what breaks an answer that has begun is an error of the answer, another one
    request.prependOnceListener('error', (error) => {
      if (performance.now() - usedMs > maxCrossingMs) return;
      Object.assign(error, { [endedIdle]: true });
      for (const free of Object.values(agent.freeSockets).flat()) if (free && isIdle(free)) free.destroy();
    });
  };
  return agent;
}

/** Is this the error of such a request? */
export function isIdleEnd(error: unknown): boolean {
  return Object(error)[endedIdle] === true;
}
