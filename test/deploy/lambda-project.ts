import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newPrivateKey, writePrivateKey, writePublicKeys } from '../../adapter/cli/keys/files.ts';
import { buildFunction } from '../../infra/build/function.ts';
import { type BuildManifest, manifestOf, writeManifest } from '../../infra/build/manifest.ts';
import type { PrivateJwk } from '../../proto/keys/jwk.ts';
import type { CommandOutcome } from '../support/command.ts';
import { type KillAt, runKillable } from '../support/killable-command.ts';
import { deployTools } from './worker-project.ts';

const root = join(import.meta.dirname, '../..');

/** What an author's serverless.yml needs for one function: no table, no key of KMS. */
export const officeService = `service: net
frameworkVersion: '4'
configValidationMode: error

custom:
  plugins:
    office: { entry: office.ts, target: lambda }

provider:
  name: aws
  stage: live
  region: eu-central-1
  runtime: nodejs24.x
  memorySize: 256
  environment:
    PLUGIN_CALLERS: \${env:PLUGIN_CALLERS}

package: { individually: true }

functions:
  office:
    handler: index.handler
    role: !Sub '\${OfficeRole.Arn}'
    package: { artifact: out/office.lambda.zip }
    environment:
      PLUGIN_FUNCTION: office@\${sls:stage}
      PLUGIN_KEY_PARAMETER: /sftpgo/\${sls:stage}/office

resources:
  Resources:
    OfficeRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument:
          Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Principal: { Service: lambda.amazonaws.com }
              Action: sts:AssumeRole
`;

/** One office may come in. Networks of RFC 5737. */
const sourceWith = (reason: string) => `import { allow, deny, ipfilter } from 'sftpgo-plugin-serverless/kit';
import { networks } from 'sftpgo-plugin-serverless/kit/net';

const office = networks('203.0.113.0/24');
export default ipfilter({
  async checkIP({ ip }) {
    return office.has(ip) ? allow({ for: '1m' }) : deny('${reason}', { for: '1m' });
  },
});
`;

/** A command in the project, as a deployer types it. */
export interface RunOptions {
  /** Over those of the deployer's shell. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kill the command, and what it started, at once and without a word. */
  readonly killAt?: KillAt;
}

/** An author's project with one function for Lambda. */
export interface LambdaProject {
  readonly folder: string;
  readonly adapterKey: PrivateJwk;
  /** Builds the function; another reason makes other bytes. */
  build(reason?: string): Promise<BuildManifest>;
  run(args: readonly string[], options?: RunOptions): Promise<CommandOutcome>;
  close(): Promise<void>;
}

/** Prepares a project whose AWS is at `endpoint`, with the tools that authors install. */
export async function prepareLambdaProject(endpoint: string): Promise<LambdaProject> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-project-'));
  const at = (name: string) => join(folder, name);
  await mkdir(at('node_modules/@aws-sdk'), { recursive: true });
  await symlink(join(await deployTools(), 'node_modules/osls'), at('node_modules/osls'));
  for (const name of ['client-lambda', 'client-ssm']) {
    await symlink(join(root, 'node_modules/@aws-sdk', name), at(`node_modules/@aws-sdk/${name}`));
  }
  await writeFile(at('package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(at('serverless.yml'), officeService);
  const [adapterKey, signerKey] = [newPrivateKey(), newPrivateKey()];
  await writePublicKeys(at('adapter.jwks.json'), [adapterKey]);
  await writePrivateKey(at('lock-signer.key.json'), signerKey);
  await writePublicKeys(at('lock-signer.jwks.json'), [signerKey]);
  const shell = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-central-1',
  };
  return {
    folder,
    adapterKey,
    async build(reason = 'not of the office') {
      await writeFile(at('office.ts'), sourceWith(reason));
      const built = await buildFunction({
        entry: at('office.ts'),
        name: 'office',
        outDir: at('out'),
        targets: ['lambda'],
      });
      const manifest = manifestOf('office', built);
      await writeManifest(at('out'), manifest);
      return manifest;
    },
    run: (args, { env = {}, killAt } = {}) =>
      runKillable(folder, args, { env: { ...shell, ...env }, killAt }),
    close: async () => await rm(folder, { recursive: true }),
  };
}
