/**
 * Where the build writes the SHA-256 of the bundle (computed with these 64 digits zero). Zeros mean: not built,
 * running from source. One occurrence in a bundle, which the build checks.
 */
const place =
  'sftpgo-plugin-serverless build 0000000000000000000000000000000000000000000000000000000000000000';

/** This bundle's build id, 64 hex digits: the `plugin-version` of every signed answer. */
export function ownBuildId(): string {
  return place.slice(-64);
}
