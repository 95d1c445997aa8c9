import { PluginError } from '../../../proto/error.ts';

/** A file that is no usable database. */
export function refusal(
  happened: string,
  remedy = 'Fetch the file again, and upload it as it is: unpacked, as binary.',
): PluginError {
  return new PluginError('INPUT_INVALID', { happened, expected: 'a MaxMind DB file (.mmdb)', remedy });
}
