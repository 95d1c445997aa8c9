import { Command, CommanderError } from 'commander';
import { bansCommand } from './bans/index.ts';
import { callCommand } from './call.ts';
import { configOption } from './config-option.ts';
import { hostConfigCommand } from './host-config/index.ts';
import { keysCommand } from './keys/index.ts';
import { lockCommand } from './lock/index.ts';
import { explain } from './output.ts';
import { schemaCommand } from './schema.ts';
import { statusCommand } from './status.ts';
import { verifyCommand } from './verify.ts';

function serveCommand(): Command {
  return new Command('serve')
    .description('what SFTPGo runs: the plugin whose magic cookie is set')
    .addOption(configOption())
    .action((_options: unknown, command: Command) => {
      process.stderr.write(
        'This is a plugin of SFTPGo: it is started by SFTPGo, not by hand. `host-config` prints the entry for\n' +
          'its configuration, `call` makes one call by hand.\n\n' +
          (command.parent ?? command).helpInformation(),
      );
      process.exitCode = 1;
    });
}

/**
 * The commands of the SFTPGo host; `extra` are those of the npm package. Those of one name become one command: `lock`
 * has parts of both.
 */
export function hostProgram(extra: readonly Command[] = []): Command {
  const program = new Command('sftpgo-plugin-serverless')
    .description('SFTPGo plugins as functions on AWS Lambda and Cloudflare Workers')
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({ writeOut: (text) => process.stdout.write(text) });
  for (const command of [
    serveCommand(),
    hostConfigCommand(),
    callCommand(),
    verifyCommand(),
    statusCommand(),
    keysCommand(),
    bansCommand(),
    lockCommand(),
    schemaCommand(),
    ...extra,
  ]) {
    const known = program.commands.find((other) => other.name() === command.name());
    if (known === undefined) program.addCommand(command.exitOverride());
    else for (const part of command.commands) known.addCommand(part);
  }
  return program;
}

/** Runs one command line; returns the exit code. Errors go to stderr with their remedy. */
export async function runCommand(args: readonly string[], program = hostProgram()): Promise<number> {
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return 1;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}
