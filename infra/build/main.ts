import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configJsonSchema } from '../../adapter/config/schema.ts';
import { buildCli } from './cli.ts';
import { buildExecutable } from './executable.ts';
import { writeLicenses } from './licenses.ts';

/** `npm run build`: the executable, the package's command, its library and the schema of the host config. */
const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

await rm(dist, { recursive: true, force: true });
const executable = await buildExecutable(root, join(dist, 'sftpgo-plugin-serverless'));
const cli = await buildCli(root, join(dist, 'cli.js'));
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
await writeLicenses(root, [executable.metafile, cli], join(dist, 'THIRD-PARTY-LICENSES.txt'));
await writeFile(join(dist, 'adapter.schema.json'), `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
process.stderr.write(`dist/sftpgo-plugin-serverless: ${executable.bytes} bytes\n`);
