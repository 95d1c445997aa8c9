import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Line 1 makes the file a shell script; line 2 is shell to sh and an expression statement with a comment to
 * JavaScript. The shell looks for Node ≥ 22 and becomes it (exec keeps the pid, which the host must be able to
 * kill); with an empty environment PATH is sh's own default.
 */
const head = [
  '#!/bin/sh',
  '":" //; for n in "$SFTPGO_PLUGIN_SERVERLESS_NODE" "$(command -v node)" /usr/bin/node /usr/local/bin/node; do ' +
    '[ -n "$n" ] && [ -x "$n" ] || continue; ' +
    'case "$("$n" --version 2>/dev/null)" in v2[2-9].*|v[3-9][0-9].*) exec "$n" "$0" "$@";; esac; done; ' +
    'echo "[ERROR] sftpgo-plugin-serverless needs Node.js 22 or newer: none is in PATH, /usr/bin or /usr/local/bin. ' +
    'Set SFTPGO_PLUGIN_SERVERLESS_NODE to the path of one (host-config tells how)." >&2; exit 1',
  '',
].join('\n');

/** Node takes the file as CommonJS or as ESM, by its name and folder: only what both have may be used. */
const banner =
  "var require=process.getBuiltinModule('node:module').createRequire(process.getBuiltinModule('node:fs').realpathSync(process.argv[1]));";

/**
 * Bundles the host commands and the plugin into one self-contained executable: `dist/sftpgo-plugin-serverless`.
 *
 * Takes the repository's folder and the output file; returns its size in bytes.
 */
export async function buildExecutable(root: string, outFile: string): Promise<number> {
  const result = await build({
    entryPoints: [join(root, 'adapter/cli/main.ts')],
    absWorkingDir: root,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'iife',
    minify: true,
    keepNames: false,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
    banner: { js: banner },
  });
  const bundle = result.outputFiles[0];
  if (bundle === undefined) throw new Error('esbuild wrote no bundle');
  const bytes = Buffer.concat([Buffer.from(head), bundle.contents]);
  await mkdir(dirname(outFile), { recursive: true });
  await writeFile(outFile, bytes);
  await chmod(outFile, 0o755);
  return bytes.byteLength;
}
