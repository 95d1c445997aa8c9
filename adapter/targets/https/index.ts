import { PluginError } from '../../../proto/error.ts';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import type { Target } from '../../shapes.ts';
import { markIdleEnds } from './idle-connections.ts';
import { loopbackLookup } from './loopback.ts';
import { maxUnfinishedBytes, Places, type Poster, post } from './send.ts';

/** Connections kept open per function; SFTPGo has at most 250 calls of a type in flight. */
const maxSockets = 256;

/**
 * A function behind an HTTPS address (or plain http on this machine), over kept-alive HTTP/1.1 of node:https.
 * node:https is loaded at the first call, after the handshake line.
 *
 * Takes the address of the lock and, for a private CA, its PEM text. Throws LOCK_INVALID for a bad address.
 */
export function httpsTarget(
  address: string,
  options: { caPem?: string | undefined; maxUnfinishedBytes?: number } = {},
): Target {
  const normalised = normaliseAddress(address);
  if ('problem' in normalised) {
    throw new PluginError('LOCK_INVALID', {
      happened: 'the address of a function cannot be used',
      expected: normalised.problem.replace(/^expected /, ''),
      remedy: 'Correct the address and build the lock again.',
    });
  }
  const origin = normalised.href;
  const secure = origin.startsWith('https:');
  const unfinished = { bytes: 0, maxBytes: options.maxUnfinishedBytes ?? maxUnfinishedBytes };
  const shared = { unfinished, places: new Places() };
  let client: Promise<Poster> | undefined;
  const open = async () => {
    const common = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' as const };
    if (secure) {
      const [{ Agent, request }, { createSecureContext }] = await Promise.all([
        import('node:https'),
        import('node:tls'),
      ]);
      const ca = options.caPem === undefined ? {} : { ca: options.caPem };
      // one for all: by itself, each connection makes its own
      const secureContext = createSecureContext({ minVersion: 'TLSv1.2', ...ca });
      return { ...shared, request, agent: markIdleEnds(new Agent({ ...common, secureContext })) };
    }
    const { Agent, request } = await import('node:http');
    return { ...shared, request, agent: markIdleEnds(new Agent({ ...common, lookup: loopbackLookup })) };
  };
  return {
    origin: () => origin,
    async send(message, _pin, signal) {
      client ??= open();
      return await post(await client, message, signal);
    },
    async close() {
      (await client)?.agent.destroy();
    },
  };
}
