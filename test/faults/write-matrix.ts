import { writeFile } from 'node:fs/promises';
import { matrixPage, pageWithMatrix } from './docs-matrix.ts';

/** `node test/faults/write-matrix.ts`: puts the matrix into docs/reliability.md. */
const { written } = await pageWithMatrix();
await writeFile(matrixPage, written);
