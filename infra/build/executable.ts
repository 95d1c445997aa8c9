import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build, type Metafile, transform } from 'esbuild';
import { head } from './head.ts';

/**
 * Node takes the file as CommonJS or as ESM, by its name and folder: only what both have may be used. A chunk that
 * is needed for the handshake line is a function (in parentheses: compiled at once, not parsed twice); the others
 * are strings until somebody imports them, since parsing them would be a sixth of a plugin's start.
 */
function loader(eager: string, lazy: string, entry: string): string {
  return `"use strict";(()=>{
const nodeRequire=process.getBuiltinModule("node:module").createRequire(process.getBuiltinModule("node:fs").realpathSync(process.argv[1]));
const loaded={};
const eager={${eager}};
const lazy={${lazy}};
function load(name){
if(!Object.hasOwn(eager,name)&&!Object.hasOwn(lazy,name))return nodeRequire(name);
if(Object.hasOwn(loaded,name))return loaded[name].exports;
const module=loaded[name]={exports:{}};
(eager[name]??new Function("module","exports","require",lazy[name]))(module,module.exports,load);
return module.exports;
}
load(${JSON.stringify(entry)});
})();
`;
}

/** Code as a string literal in single quotes: minified code is full of double ones, and each escape is a byte. */
function literal(code: string): string {
  return `'${JSON.stringify(code).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** The chunks that are evaluated before the entry: its static imports, and theirs. */
function staticImports(outputs: Metafile['outputs'], entry: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) visit(next);
    }
  };
  visit(entry);
  return found;
}

/**
 * Bundles the host commands and the plugin into one self-contained executable: `dist/sftpgo-plugin-serverless`.
 *
 * Takes the repository's folder and the output file; returns its size in bytes and what went in.
 */
export async function buildExecutable(
  root: string,
  outFile: string,
): Promise<{ bytes: number; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'adapter/cli/main.ts')],
    absWorkingDir: root,
    outdir: join(root, 'chunks'),
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    // the AWS SDK imports it in browsers only, to read the user agent there: 34 kB
    external: ['bowser'],
    logLevel: 'warning',
  });
  const early = staticImports(metafile.outputs, 'chunks/main.js');
  const eager: string[] = [];
  const lazy: string[] = [];
  for (const { path, text } of outputFiles) {
    const name = JSON.stringify(`./${basename(path)}`);
    const { code } = await transform(text, {
      format: 'cjs',
      platform: 'node',
      target: 'node22',
      minify: true,
      supported: { 'dynamic-import': false },
    });
    if (early.has(`chunks/${basename(path)}`))
      eager.push(`${name}:(function(module,exports,require){${code}})`);
    else lazy.push(`${name}:${literal(code)}`);
  }
  const bytes = Buffer.from(head + loader(eager.join(',\n'), lazy.join(',\n'), './main.js'));
  await mkdir(dirname(outFile), { recursive: true });
  await writeFile(outFile, bytes);
  await chmod(outFile, 0o755);
  return { bytes: bytes.byteLength, metafile };
}
