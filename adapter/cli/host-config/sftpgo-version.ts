import { PluginError } from '../../../proto/error.ts';

/** A release of SFTPGo: major, minor, patch. */
export type SftpgoVersion = readonly [major: number, minor: number, patch: number];

/** Reads `2.6.3` or `v2.6.3`; undefined for anything else, pre-releases included. */
export function parseSftpgoVersion(text: string): SftpgoVersion | undefined {
  const [, major, minor, patch] = /^v?(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text) ?? [];
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

function compare(a: SftpgoVersion, b: SftpgoVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** How each operator of a range reads the sign of {@link compare}. */
const operators: Readonly<Record<string, (sign: number) => boolean>> = {
  '>=': (sign) => sign >= 0,
  '<': (sign) => sign < 0,
};

/**
 * Is a release in a range of `pluginTypes[…].hosts`: `>=` and `<` with three numbers, all of which must hold?
 *
 * ```ts
 * satisfies([2, 5, 6], '>=2.2.2 <2.6.0'); // true
 * ```
 *
 * @throws PluginError INTERNAL for a range with anything else in it
 */
export function satisfies(version: SftpgoVersion, range: string): boolean {
  return range.split(' ').every((part) => {
    const [, sign = '', bound = ''] = /^(>=|<)(.*)$/.exec(part) ?? [];
    const operator = operators[sign];
    const than = parseSftpgoVersion(bound);
    if (operator !== undefined && than !== undefined) return operator(compare(version, than));
    throw new PluginError('INTERNAL', {
      happened: `"${range}" is no range of SFTPGo releases`,
      expected: '>=2.2.2 <2.6.0',
      remedy: 'Correct it in proto/plugin-types.ts.',
    });
  });
}

/** Is a release this one or a later one? An unknown release (undefined) is taken for the newest. */
export function isAtLeast(version: SftpgoVersion | undefined, least: string): boolean {
  return version === undefined || satisfies(version, `>=${least}`);
}
