import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the parts of the kit are that a bundle needs beside the author's module. */
export interface KitPlace {
  /** The program around a plugin: functions/kit/node-main. */
  readonly nodeMain: string;
  /** Inside the repository the package's own name means its sources; in a project npm has resolved it. */
  readonly alias: Readonly<Record<string, string>>;
}

/** Finds the kit beside the running code: compiled beside `dist/cli.js` of the package, else the sources. */
export function kitPlace(): KitPlace {
  const here = dirname(fileURLToPath(import.meta.url));
  const compiled = join(here, 'lib/functions/kit/node-main.js');
  if (existsSync(compiled)) return { nodeMain: compiled, alias: {} };
  const functions = join(here, '../../functions');
  return {
    nodeMain: join(functions, 'kit/node-main.ts'),
    alias: {
      'sftpgo-plugin-serverless/kit': join(functions, 'kit/index.ts'),
      'sftpgo-plugin-serverless/kit/net': join(functions, 'kit/net.ts'),
      'sftpgo-plugin-serverless/functions/ipfilter': join(functions, 'ipfilter/index.ts'),
    },
  };
}
