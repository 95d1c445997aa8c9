/**
 * Generates everything in proto/gen from the .proto files: `node infra/generate/main.ts [folder]`.
 * The folder is replaced; without one it is proto/gen.
 */
import { resolve } from 'node:path';
import { generate } from './generate.ts';

await generate(resolve(process.argv[2] ?? 'proto/gen'));
