import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { stripManifest } from './manifest.ts';

/** `npm pack`, before: builds, and takes out of package.json what belongs to the checkout only. */
const root = join(import.meta.dirname, '../..');
execFileSync(process.execPath, [join(root, 'infra/build/main.ts')], { cwd: root, stdio: ['ignore', 2, 2] });
await stripManifest(root);
