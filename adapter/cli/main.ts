import { serve, typeFromCookie } from './serve.ts';

/**
 * The executable: SFTPGo sets a magic cookie and gets a plugin; people get commands. Commands are loaded only for
 * people: a plugin's start time is SFTPGo's start time.
 */
async function main(): Promise<void> {
  const [, , ...args] = process.argv;
  const type = typeFromCookie(process.env);
  if (type !== undefined) {
    await serve(type, args[0] === 'serve' ? args.slice(1) : args, process.env);
    return;
  }
  const { runCommand } = await import('./program.ts');
  process.exitCode = await runCommand(args);
}

main().catch((error: unknown) => {
  process.stderr.write(`[ERROR] ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
