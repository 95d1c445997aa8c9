import { PluginError } from '../../../proto/error.ts';

/**
 * The version to announce: the highest that both sides have. With none in common, or a host that names none,
 * the lowest of ours: the host then reports the mismatch with both lists (go-plugin, server.go,
 * `protocolVersion`).
 *
 * @param ours the versions of this plugin, in any order
 * @param offered the text of PLUGIN_PROTOCOL_VERSIONS: comma separated; entries that are not numbers are skipped
 *
 * Throws INPUT_INVALID when `ours` is empty or has a version that is not a whole number.
 */
export function negotiateVersion(ours: readonly number[], offered: string | undefined): number {
  const sorted = ours.toSorted((a, b) => b - a);
  const lowest = sorted.at(-1);
  if (lowest === undefined || !ours.every((version) => Number.isSafeInteger(version) && version >= 0)) {
    throw new PluginError('INPUT_INVALID', {
      happened: `the plugin's versions are [${ours.join(', ')}]`,
      expected: 'at least one whole number',
      remedy: 'Give serve() the protocol versions that this plugin speaks.',
    });
  }
  const theirs = new Set(
    (offered ?? '')
      .split(',')
      .filter((entry) => /^[+-]?\d+$/.test(entry))
      .map(Number),
  );
  return sorted.find((version) => theirs.has(version)) ?? lowest;
}
