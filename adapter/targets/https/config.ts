import * as z from 'zod';

/** The `https` key of the host's configuration: what all https and worker targets share. */
export const httpsConfig = z
  .strictObject({
    ca: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file of a private CA; replaces the public ones for every https function.'),
  })
  .describe('How functions are reached over HTTPS.');
