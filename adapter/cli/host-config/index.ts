import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig, loadLockedFunction } from '../../config/load-role.ts';
import { configOption } from '../config-option.ts';
import { executablePath } from '../executable.ts';
import { hasSystemNode } from '../find-node.ts';
import { print, remark } from '../output.ts';
import { entriesOf } from './entries.ts';
import { asEnvironment } from './environment.ts';
import { isAtLeast, parseSftpgoVersion, type SftpgoVersion } from './sftpgo-version.ts';

interface HostConfigOptions {
  readonly config: string;
  readonly env?: true;
  readonly first: number;
  readonly sftpgoVersion?: SftpgoVersion;
}

/** `host-config`: the `plugins` entries for SFTPGo, ready to paste. */
export function hostConfigCommand(): Command {
  return new Command('host-config')
    .description('print the entries for the configuration of SFTPGo')
    .addOption(configOption())
    .addOption(new Option('--json', 'as the `plugins` key of sftpgo.json (default)').conflicts('env'))
    .addOption(new Option('--env', 'as environment variables, for a file in env.d'))
    .addOption(
      new Option('--first <n>', 'number of the first entry with --env').default(0).argParser(entryNumber),
    )
    .addOption(
      new Option(
        '--sftpgo-version <version>',
        'refuse or leave out what this release does not know, as 2.5.6 (default: the newest)',
      ).argParser(sftpgoVersion),
    )
    .action(async (options: HostConfigOptions) => {
      const { config } = await loadConfig(options.config);
      const cmd = executablePath();
      const sha256sum = createHash('sha256')
        .update(await readFile(cmd))
        .digest('hex');
      const ownNode = !(await hasSystemNode());
      const { entries, remarks } = await entriesOf({
        config,
        cmd,
        args: ['serve', '--config', resolve(options.config)],
        sha256sum,
        envPrefix: ownNode ? 'SFTPGO_PLUGIN_SERVERLESS_' : 'none',
        version: options.sftpgoVersion,
        locked: (type, functionName) => loadLockedFunction(options.config, config, type, functionName),
      });
      print(
        options.env
          ? asEnvironment(entries, options.first)
          : JSON.stringify({ plugins: entries }, undefined, 2),
      );
      if (ownNode) {
        const how = isAtLeast(options.sftpgoVersion, '2.6.0') ? 'env_prefix' : 'this release';
        remark(
          'No Node 22 or newer is in /usr/bin or /usr/local/bin: set SFTPGO_PLUGIN_SERVERLESS_NODE to the path of ' +
            `one in the environment of SFTPGo (${how} hands it on).`,
        );
      }
      for (const text of remarks) remark(text);
      remark('The sha256sum is that of this very file: print the entries again after an update.');
    });
}

function entryNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('expected a number: 0, 1, 2, …');
  return Number(text);
}

function sftpgoVersion(text: string): SftpgoVersion {
  const version = parseSftpgoVersion(text);
  if (version === undefined) throw new InvalidArgumentError('expected a release, as 2.6.3');
  return version;
}
