import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The oldest supported Node, installed by its own package.json; undefined where npm has none for this machine. */
export function oldestNode(): string | undefined {
  const folder = join(import.meta.dirname, '../runtimes/node22');
  const node = join(folder, 'node_modules/.bin/node');
  if (!existsSync(node)) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: 'ignore',
    });
  }
  return existsSync(node) ? node : undefined;
}
