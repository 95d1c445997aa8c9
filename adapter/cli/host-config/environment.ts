import { PluginError } from '../../../proto/error.ts';

/** SFTPGo reads `SFTPGO_PLUGINS__0` to `SFTPGO_PLUGINS__9`, and nothing beyond. */
const lastEntry = 9;

/**
 * Entries of `plugins` as environment variables, one a line: keys in capitals, levels joined by two underscores, lists
 * by commas.
 *
 * ```ts
 * asEnvironment([{ type: 'auth', auth_options: { scope: 1 } }], 0);
 * // SFTPGO_PLUGINS__0__TYPE=auth
 * // SFTPGO_PLUGINS__0__AUTH_OPTIONS__SCOPE=1
 * ```
 *
 * @throws PluginError INPUT_INVALID for an entry beyond number 9, or text that would be read as something else
 */
export function asEnvironment(entries: readonly object[], first: number): string {
  if (first + entries.length - 1 > lastEntry) {
    throw new PluginError('INPUT_INVALID', {
      happened: `${entries.length} entries from number ${first} on`,
      expected: `numbers up to ${lastEntry}: SFTPGo reads no others from its environment`,
      remedy: 'Choose a lower --first, or use --json.',
    });
  }
  return entries
    .flatMap((entry, index) => variables(`SFTPGO_PLUGINS__${first + index}`, entry))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

function variables(prefix: string, values: object): [string, string][] {
  return Object.entries(values).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}__${key.toUpperCase()}`;
    if (Array.isArray(value)) return [[name, value.map((item) => listItem(name, String(item))).join(',')]];
    if (typeof value === 'object' && value !== null) return variables(name, value);
    return [[name, oneLine(name, String(value))]];
  });
}

function listItem(name: string, item: string): string {
  if (!item.includes(',')) return oneLine(name, item);
  throw unreadable(name, item, 'an item of a list without a comma');
}

function oneLine(name: string, text: string): string {
  if (!/[\r\n]/.test(text)) return text;
  throw unreadable(name, text, 'one line');
}

function unreadable(name: string, text: string, expected: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `${name} would be ${JSON.stringify(text)}`,
    expected,
    remedy: 'Rename the file or folder, or use --json.',
  });
}
