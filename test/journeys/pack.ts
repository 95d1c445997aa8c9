import { execFile } from 'node:child_process';
import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readersEnvironment } from './terminal.ts';

const root = join(import.meta.dirname, '../..');

/** What of the checkout goes into the package, or makes what does. */
const sources = [
  'adapter',
  'docs',
  'functions',
  'infra',
  'proto',
  'LICENSE',
  'README.md',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/**
 * Copies the checkout, so that packing, which builds and changes package.json for a moment, disturbs no other test.
 */
export async function copyCheckout(folder: string): Promise<void> {
  for (const name of sources) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
}

/** Runs `npm pack` in a copy of the checkout; returns the tarball's path. */
export async function packIn(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json'], {
    cwd: folder,
    env: readersEnvironment(),
    maxBuffer: 16 * 1024 * 1024,
  });
  const said: unknown = JSON.parse(stdout);
  const [packed] = (Array.isArray(said) ? said : Object.values(Object(said))) as { filename: string }[];
  if (packed === undefined) throw new Error('npm pack made nothing');
  return join(folder, packed.filename);
}
