import { FunctionError } from '../kit/index.ts';
import type { KeyUrl } from './key-url.ts';
import { type AwsKmsOptions, regionOfArn } from './options.ts';

/** A key URL that the allow-lists permit, with the region that its client needs. */
export type AllowedKeyUrl = KeyUrl & { readonly region: string };

/**
 * Holds a key URL against the allow-lists. The URL comes from SFTPGo's configuration, and whoever can change it
 * could have secrets sent to another endpoint or encrypted for another account.
 *
 * @param ownRegion the function's own, AWS_REGION; undefined where there is none
 * @throws FunctionError failed_precondition, naming what to add where
 */
export function allowedKeyUrl(
  url: KeyUrl,
  options: AwsKmsOptions,
  ownRegion: string | undefined,
): AllowedKeyUrl {
  const permit = (name: keyof AwsKmsOptions, value: string | undefined, list: readonly string[] = []) => {
    if (value !== undefined && !list.includes(value)) throw refused(name, value);
  };
  permit('keys', url.keyId, options.keys);
  permit('endpoints', url.endpoint, options.endpoints);
  permit('roles', url.role, options.roles);
  permit('profiles', url.profile, options.profiles);
  if (options.contextKeys) {
    for (const name of Object.keys(url.context)) permit('contextKeys', name, options.contextKeys);
  }
  const ofKey = regionOfArn(url.keyId);
  const region = url.region ?? ofKey ?? ownRegion;
  if (region === undefined) {
    throw new FunctionError('invalid_argument', 'kms.secrets.url names no region, and the function has none');
  }
  if (ofKey !== undefined && ofKey !== region) {
    throw new FunctionError(
      'invalid_argument',
      `kms.secrets.url: the key is in ${ofKey}, the region says ${region}`,
    );
  }
  const known =
    options.regions ?? [ownRegion, ...options.keys.map(regionOfArn)].filter((r) => r !== undefined);
  permit('regions', region, known);
  return { ...url, region };
}

/** A refusal that says which line of the function to change. */
export function refused(list: keyof AwsKmsOptions, value: string): FunctionError {
  return new FunctionError('failed_precondition', `not allowed: add '${value}' to ${list} of awsKms()`);
}
