import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the parts of the kit are that a bundle needs beside the author's module. */
export interface KitPlace {
  /** The program around a plugin: functions/kit/node-main. */
  readonly nodeMain: string;
  /** The handler around a plugin: functions/kit/lambda. */
  readonly lambda: string;
  /** In a checkout the package's own name means its sources; in a project npm has resolved it. */
  readonly alias: Readonly<Record<string, string>>;
}

/** Finds the kit of the running code: the sources of a checkout, else what is compiled beside `dist/cli.js`. */
export function kitPlace(): KitPlace {
  const here = dirname(fileURLToPath(import.meta.url));
  const functions = ['../../functions', '../functions']
    .map((folder) => join(here, folder))
    .find((folder) => existsSync(join(folder, 'kit/node-main.ts')));
  if (functions === undefined) {
    const compiled = join(here, 'lib/functions/kit');
    return { nodeMain: join(compiled, 'node-main.js'), lambda: join(compiled, 'lambda.js'), alias: {} };
  }
  return {
    nodeMain: join(functions, 'kit/node-main.ts'),
    lambda: join(functions, 'kit/lambda.ts'),
    alias: {
      'sftpgo-plugin-serverless/kit': join(functions, 'kit/index.ts'),
      'sftpgo-plugin-serverless/kit/net': join(functions, 'kit/net.ts'),
      'sftpgo-plugin-serverless/functions/ipfilter': join(functions, 'ipfilter/index.ts'),
      'sftpgo-plugin-serverless/functions/ipfilter/bans': join(functions, 'ipfilter/bans/index.ts'),
      'sftpgo-plugin-serverless/functions/ipfilter/bans/dynamo': join(functions, 'ipfilter/bans/dynamo.ts'),
      'sftpgo-plugin-serverless/functions/notifier': join(functions, 'notifier/index.ts'),
      'sftpgo-plugin-serverless/functions/eventsearcher': join(functions, 'eventsearcher/index.ts'),
      'sftpgo-plugin-serverless/functions/metadata': join(functions, 'metadata/index.ts'),
      'sftpgo-plugin-serverless/functions/kms': join(functions, 'kms/index.ts'),
      'sftpgo-plugin-serverless/functions/auth': join(functions, 'auth/index.ts'),
      'sftpgo-plugin-serverless/functions/auth/dynamo': join(functions, 'auth/dynamo.ts'),
    },
  };
}
