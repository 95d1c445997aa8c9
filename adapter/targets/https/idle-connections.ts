import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';

/** What lay idle for so long may have been ended by the server meanwhile, in ms: none waits less. */
const minIdleMs = 1000;

const endedIdle = Symbol('the connection had lain idle');

/**
 * Marks the errors of requests over connections that lay idle for a second or more and ended before an answer began: a
 * server ends what is idle, and its word may cross with ours. After a pause that can happen to all connections at once.
 *
 * Takes an agent that keeps connections, and gives the same one.
 */
export function markIdleEnds<A extends Agent>(agent: A): A {
  const idleSinceMs = new WeakMap<Duplex, number>();
  agent.on('free', (socket: Duplex) => idleSinceMs.set(socket, performance.now()));
  const reuse = agent.reuseSocket.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reuse(socket, request);
    if (performance.now() - (idleSinceMs.get(socket) ?? performance.now()) < minIdleMs) return;
    // what breaks an answer that has begun is an error of the answer, another one
    request.prependOnceListener('error', (error) => Object.assign(error, { [endedIdle]: true }));
  };
  return agent;
}

/** Is this the error of such a request? */
export function isIdleEnd(error: unknown): boolean {
  return Object(error)[endedIdle] === true;
}
