import { PluginError } from '../../proto/error.ts';

/** What the operator of SFTPGo may name in `kms.secrets.url`, and which keys may have encrypted a secret. */
export interface AwsKmsOptions {
  /**
   * Keys: ids, ARNs, aliases (`alias/NAME` or their ARN). The URL must name one of them literally. A secret is
   * decrypted if the key that KMS used is one of them; an alias stands for the key that it names now.
   */
  readonly keys: readonly string[];
  /** Names of the encryption context that a URL may give; absent: any. */
  readonly contextKeys?: readonly string[];
  /** Regions that a URL may give; absent: the function's own and those of the ARNs in `keys`. */
  readonly regions?: readonly string[];
  /** Endpoints that a URL may give, `https://…`: secrets are sent there. Absent: none. */
  readonly endpoints?: readonly string[];
  /** ARNs of roles that a URL may have assumed; absent: none. */
  readonly roles?: readonly string[];
  /** Profiles of the AWS configuration that a URL may use; absent: none. */
  readonly profiles?: readonly string[];
}

const arn = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)$/;
const listed = ['keys', 'contextKeys', 'regions', 'endpoints', 'roles', 'profiles'] as const;

/** Region of a key's or alias's ARN; undefined when it is no ARN. */
export function regionOfArn(key: string): string | undefined {
  return arn.exec(key)?.[1];
}

/** Is it `alias/NAME`, or the ARN of an alias? */
export function isAlias(key: string): boolean {
  return /^(arn:[^/]*:)?alias\//.test(key);
}

/**
 * Checks what an author wrote, so that a mistake stops the build and not a login.
 *
 * @throws PluginError CONFIG_INVALID
 */
export function checkOptions(options: AwsKmsOptions): void {
  for (const name of Object.keys(options)) {
    if (!listed.some((known) => known === name))
      throw wrong(`awsKms has no option ${name}`, listed.join(', '));
  }
  for (const name of listed) {
    const value: unknown = options[name];
    const isList = Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '');
    if (!isList && (value !== undefined || name === 'keys'))
      throw wrong(`${name} is no list of texts`, 'a list');
  }
  if (options.keys.length === 0) throw wrong('keys is empty', 'at least one key');
  for (const key of options.keys) {
    if (!arn.test(key) && !/^(alias\/[A-Za-z0-9/_-]+|(mrk-)?[0-9a-f-]{32,36})$/.test(key)) {
      throw wrong(`keys has "${key}"`, 'a key id, alias/NAME, or an ARN of KMS');
    }
  }
}

function wrong(happened: string, expected: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened,
    expected,
    remedy: "Write for example awsKms({ keys: ['alias/sftpgo'] }).",
  });
}
