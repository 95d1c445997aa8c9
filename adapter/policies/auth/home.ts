import { posix } from 'node:path';

/**
 * Is this path one of the folders, or in one of them? By its text alone: it must be absolute and in normal form (no
 * `..`, no `.`, no doubled or final slash, no backslash). A symbolic link inside a folder leads where it leads.
 */
export function liesIn(path: string, folders: readonly string[]): boolean {
  if (!path.startsWith('/') || path.includes('\\') || posix.normalize(path) !== path) return false;
  if (path !== '/' && path.endsWith('/')) return false;
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
