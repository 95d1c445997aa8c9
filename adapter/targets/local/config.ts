import * as z from 'zod';
import { byteSize } from '../../config/units.ts';

const mebibyte = 1024 * 1024;

/** The `local` key of the host's configuration: what all local functions share. */
export const localConfig = z
  .strictObject({
    memory: byteSize({ minBytes: 16 * mebibyte, maxBytes: 4096 * mebibyte })
      .default(256 * mebibyte)
      .describe('JavaScript heap of the thread: a function that needs more is ended and started again.'),
  })
  .describe('How functions run that are embedded in the adapter.');
