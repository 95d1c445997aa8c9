import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PluginError } from '../../proto/error.ts';

const fileName = 'sftpgo-plugin-serverless';

/**
 * The host file: what SFTPGo starts. It is the running file itself, or stands in `dist/` of the package (or of a
 * checkout) that the running command belongs to. Throws TOOL_MISSING.
 */
export function executablePath(): string {
  const running = realpathSync(process.argv[1] ?? '.');
  const candidates = [running];
  for (let folder = dirname(running); folder !== dirname(folder); folder = dirname(folder)) {
    candidates.push(join(folder, 'dist', fileName));
  }
  const found = candidates.find((path) => path.endsWith(`/${fileName}`) && existsSync(path));
  if (found !== undefined) return found;
  if (!/\.[cm]?[jt]s$/.test(running)) return running;
  throw new PluginError('TOOL_MISSING', {
    happened: `the executable ${fileName} is not there`,
    expected: `dist/${fileName} beside this command`,
    remedy: 'Run: npm run build',
  });
}
