import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../config/load-role.ts';
import { isSectionName } from '../policies/index.ts';
import { executablePath } from './executable.ts';
import { hasSystemNode } from './find-node.ts';
import { print, remark } from './output.ts';
import { configOption } from './program.ts';

/** One entry of `plugins` in SFTPGo's configuration. */
interface PluginEntry {
  readonly type: string;
  readonly cmd: string;
  readonly args: readonly string[];
  readonly sha256sum: string;
  readonly auto_mtls: true;
  readonly env_prefix: string;
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
    .action(async (options: { config: string; env?: true; first: number }) => {
      const { config } = await loadConfig(options.config);
      const cmd = executablePath();
      const sha256sum = createHash('sha256')
        .update(await readFile(cmd))
        .digest('hex');
      const ownNode = !(await hasSystemNode());
      const entries = Object.keys(config)
        .filter(isSectionName)
        .map(
          (type): PluginEntry => ({
            type,
            cmd,
            args: ['serve', '--config', resolve(options.config)],
            sha256sum,
            auto_mtls: true,
            env_prefix: ownNode ? 'SFTPGO_PLUGIN_SERVERLESS_' : 'none',
          }),
        );
      print(
        options.env
          ? asEnvironment(entries, options.first)
          : JSON.stringify({ plugins: entries }, undefined, 2),
      );
      if (ownNode) {
        remark(
          'No Node 22 or newer is in /usr/bin or /usr/local/bin: set SFTPGO_PLUGIN_SERVERLESS_NODE to the path of ' +
            'one in the environment of SFTPGo (env_prefix hands it on).',
        );
      }
      remark('The sha256sum is that of this very file: print the entries again after an update.');
    });
}

function entryNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('expected a number: 0, 1, 2, …');
  return Number(text);
}

function asEnvironment(entries: readonly PluginEntry[], first: number): string {
  return entries
    .flatMap((entry, index) =>
      Object.entries(entry).map(
        ([key, value]) => `SFTPGO_PLUGINS__${first + index}__${key.toUpperCase()}=${String(value)}`,
      ),
    )
    .join('\n');
}
