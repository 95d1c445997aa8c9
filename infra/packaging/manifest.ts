import { copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the checkout's own package.json waits while a stripped one is packed. */
const backupName = 'package.json.unpacked';

/** Keys of package.json that only the checkout needs: its pinned Node, its tools, its scripts. */
const checkoutOnly = ['optionalDependencies', 'devDependencies', 'scripts'] as const;

/** Replaces package.json by the one that is published. A run that was cut short is mended first. */
export async function stripManifest(root: string): Promise<void> {
  await restoreManifest(root);
  const path = join(root, 'package.json');
  await copyFile(path, join(root, backupName));
  const manifest: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'));
  for (const key of checkoutOnly) delete manifest[key];
  await writeFile(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Puts the checkout's package.json back, if it is away. */
export async function restoreManifest(root: string): Promise<void> {
  const backup = join(root, backupName);
  const waiting = await stat(backup).catch(() => undefined);
  if (waiting) await rename(backup, join(root, 'package.json'));
}
