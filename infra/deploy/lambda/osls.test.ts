import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deployService, packageService } from './osls.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osls-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** An osls that packages a service, and whose first deployment finds a stack that was only planned. */
async function oslsOf(provider: object): Promise<void> {
  const service = { service: 'net', provider: { region: 'eu-central-1', ...provider }, functions: {} };
  await write('node_modules/osls/package.json', '{"name":"osls","version":"4.3.1","bin":"bin/osls.js"}');
  await write(
    'node_modules/osls/bin/osls.js',
    `const { mkdirSync, writeFileSync, existsSync } = require('node:fs');
     if (process.argv[2] === 'package') {
       mkdirSync('.serverless');
       writeFileSync('.serverless/serverless-state.json', ${JSON.stringify(JSON.stringify({ service }))});
       writeFileSync('.serverless/cloudformation-template-update-stack.json', '{"Resources":{}}');
     } else if (!existsSync('made')) {
       console.log('Error:\\nthe stack is in REVIEW_IN_PROGRESS state');
       process.exit(1);
     }`,
  );
  await write(
    'node_modules/osls/node_modules/@aws-sdk/client-cloudformation/index.js',
    `const { writeFileSync } = require('node:fs');
     const command = class { constructor(input) { this.input = input; } };
     exports.DescribeChangeSetCommand = command;
     exports.ExecuteChangeSetCommand = command;
     exports.CloudFormationClient = class {
       constructor({ region }) { this.region = region; }
       async send({ input }) {
         writeFileSync(${JSON.stringify(join(folder, 'made'))}, this.region + ' ' + input.StackName);
         return { Status: 'CREATE_COMPLETE' };
       }
       destroy() {}
     };
     exports.waitUntilStackCreateComplete = async () => undefined;`,
  );
}

test.each([
  ['the name of service and stage', {}, 'net-beta'],
  ['a name of its own', { stackName: 'own' }, 'own'],
])(
  'a stack with %s that was only planned is made, in its region, and then deployed',
  async (_, provider, stack) => {
    await oslsOf(provider);
    const options = { folder, stage: 'beta', env: process.env };
    const packaged = await packageService(options);
    expect(packaged).toMatchObject({ region: 'eu-central-1', stack });
    await deployService(packaged, options, () => undefined);
    expect(await readFile(join(folder, 'made'), 'utf8')).toBe(`eu-central-1 ${stack}`);
  },
);
