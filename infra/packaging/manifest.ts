import { copyFile, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../adapter/config/write-file.ts';

/** Where the checkout's own package.json waits while a stripped one is packed. */
const backupName = 'package.json.unpacked';

/**
 * Keys of package.json that only the checkout needs: its pinned Node, its tools. Scripts stay, so that a checkout
 * whose packing was cut short still has the one that mends it.
 */
const checkoutOnly = ['optionalDependencies', 'devDependencies'] as const;

function strippedText(manifestText: string): string {
  const manifest: Record<string, unknown> = JSON.parse(manifestText);
  for (const key of checkoutOnly) delete manifest[key];
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Replaces package.json by the one that is published. A run that was cut short is mended first. */
export async function stripManifest(root: string): Promise<void> {
  await restoreManifest(root);
  const path = join(root, 'package.json');
  await copyFile(path, join(root, backupName));
  await writeFileAtomically(path, strippedText(await readFile(path, 'utf8')), 0o644);
}

/**
 * Puts the checkout's package.json back, if it is away. One that is no longer the stripped one was put back, and
 * perhaps edited, by somebody else: then the waiting one is dropped.
 */
export async function restoreManifest(root: string): Promise<void> {
  const path = join(root, 'package.json');
  const backup = join(root, backupName);
  const waiting = await readFile(backup, 'utf8').catch(() => undefined);
  if (waiting === undefined) return;
  if ((await readFile(path, 'utf8')) === strippedText(waiting)) await rename(backup, path);
  else await rm(backup);
}
