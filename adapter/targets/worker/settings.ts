import { PluginError } from '../../../proto/error.ts';
import { type FileStamp, readTextFile } from '../../config/read-file.ts';
import type { CloudflareConfig } from './config.ts';

const maxTokenBytes = 1024;
const defaultEndpoint = 'https://api.cloudflare.com/client/v4';

/** The `cloudflare` section with its token read. */
export interface CloudflareSettings {
  readonly account: string;
  /** Without a trailing slash. */
  readonly endpoint: string;
  /** Between two looks at what is deployed, in ms; undefined: the default. */
  readonly watchMs: number | undefined;
  /** Stamp of the token's file: another one means another token. */
  readonly tokenStamp: string;
  /** A function, so that nothing that prints or serialises settings prints the token. */
  readonly token: () => string;
}

/**
 * Reads the API token of the section.
 *
 * Throws CONFIG_INVALID when it cannot be read or is no token, KEY_FILE_EXPOSED when others can read it.
 */
export async function loadCloudflareSettings(
  config: CloudflareConfig | undefined,
  at: (path: string) => string,
): Promise<{ settings: CloudflareSettings | undefined; stamps: readonly FileStamp[] }> {
  if (config === undefined) return { settings: undefined, stamps: [] };
  const path = at(config.tokenFile);
  const { text, stamp } = await readTextFile(path, {
    code: 'CONFIG_INVALID',
    what: 'the Cloudflare API token',
    exposure: 'secret',
    maxBytes: maxTokenBytes,
  });
  const token = text.trim();
  // RFC 6750 section 2.1; anything else would break the header
  if (!/^[\w.~+/-]+=*$/.test(token)) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `the Cloudflare API token ${path} is no token`,
      expected: 'one line: letters, digits and -._~+/',
      remedy: 'Put the token there as Cloudflare shows it when it is created.',
    });
  }
  const { account, endpoint = defaultEndpoint, watch } = config;
  return {
    settings: { account, endpoint, watchMs: watch, tokenStamp: stamp.stamp, token: () => token },
    stamps: [stamp],
  };
}
