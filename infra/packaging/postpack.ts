import { join } from 'node:path';
import { restoreManifest } from './manifest.ts';

/** `npm pack`, after: the checkout's package.json is back. */
await restoreManifest(join(import.meta.dirname, '../..'));
