import { PluginError } from '../../proto/error.ts';
import { formatReason, parseCache, parseGrant, pluginHeaders } from '../../proto/facts.ts';
import type { Call, Evidence, Facts, HttpAnswer } from '../shapes.ts';
import type { Connection } from './connection.ts';
import type { Verified } from './verify.ts';

const rank: Readonly<Record<Evidence, number>> = { claimed: 0, observed: 1, platform: 2 };

/**
 * Step 6: is the code that answered the code that was built, and is that proved well enough?
 *
 * Returns the facts of the answer's verified headers. Throws DRIFT.
 */
export async function evidence(
  connection: Connection,
  call: Call,
  pinned: string,
  answer: HttpAnswer,
  verified: Verified,
): Promise<Facts> {
  const { plugin, keyid } = verified;
  const claimed = plugin.get(pluginHeaders.version);
  const proved = await connection.verifier.accept(pinned, answer, claimed, call.signal);
  if (rank[proved] < rank[connection.require]) {
    throw new PluginError('DRIFT', {
      happened: `${connection.functionName}: the deployed code is ${proved}`,
      expected: `${connection.require} (integrity.require)`,
      remedy: 'Deploy to a target that proves more, or require less: docs/architecture.md, "Evidence".',
    });
  }
  const grant = parseGrant(plugin.get(pluginHeaders.grant));
  const cache = parseCache(plugin.get(pluginHeaders.cache));
  const dialogue = plugin.get(pluginHeaders.dialogue);
  const scope = plugin.get(pluginHeaders.scope);
  const reason = plugin.get(pluginHeaders.reason);
  return {
    evidence: proved,
    version: answer.executed ?? claimed ?? '',
    keyid,
    ...(grant === undefined ? {} : { grant }),
    ...(dialogue === undefined ? {} : { dialogue }),
    ...(cache?.freshMs === undefined ? {} : { freshMs: cache.freshMs }),
    ...(cache?.staleWhileRevalidateMs === undefined
      ? {}
      : { staleWhileRevalidateMs: cache.staleWhileRevalidateMs }),
    ...(cache?.staleMs === undefined ? {} : { staleMs: cache.staleMs }),
    ...(scope === undefined ? {} : { scope }),
    ...(reason === undefined ? {} : { reason: formatReason(reason) }),
  };
}
