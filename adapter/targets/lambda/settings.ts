import { type FileStamp, readTextFile } from '../../config/read-file.ts';
import type { AwsConfig } from './config.ts';

const maxCredentialsBytes = 256 * 1024;

/** The `aws` section with its paths resolved. */
export interface AwsSettings extends AwsConfig {
  /** Stamp of the credentials file: another one means other credentials. */
  readonly credentialsStamp?: string;
}

/**
 * Resolves the paths of the section and looks at the credentials file, whose content the SDK reads itself.
 *
 * Throws CONFIG_INVALID when it cannot be read, KEY_FILE_EXPOSED when others can.
 */
export async function loadAwsSettings(
  config: AwsConfig | undefined,
  at: (path: string) => string,
): Promise<{ settings: AwsSettings; stamps: readonly FileStamp[] }> {
  if (config?.credentialsFile === undefined) return { settings: config ?? {}, stamps: [] };
  const credentialsFile = at(config.credentialsFile);
  const { stamp } = await readTextFile(credentialsFile, {
    code: 'CONFIG_INVALID',
    what: 'the AWS credentials file',
    exposure: 'secret',
    maxBytes: maxCredentialsBytes,
  });
  return { settings: { ...config, credentialsFile, credentialsStamp: stamp.stamp }, stamps: [stamp] };
}
