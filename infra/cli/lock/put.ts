import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { print } from '../../../adapter/cli/output.ts';
import { readPublicKeys } from '../../../adapter/config/key-files.ts';
import { PluginError } from '../../../proto/error.ts';
import { normaliseAddress } from '../../../proto/lock/address.ts';
import { parseLambdaAddress } from '../../../proto/lock/lambda-address.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import {
  acceptedBuilds,
  acceptedLambda,
  acceptedLocal,
  type BuildManifest,
  readManifest,
} from '../../build/manifest.ts';
import { putFunction } from '../../lock/put.ts';
import { daysOf, endOf, lifeOption } from './life.ts';

interface PutCommandOptions {
  readonly address?: string;
  readonly lambda?: string;
  readonly local?: string;
  readonly from: string;
  readonly keys?: string;
  readonly lock: string;
  readonly signer: string;
  readonly trust?: string;
  readonly keepOld?: true;
  /** In ms. */
  readonly life: number;
}

/** `lock put`: from a build to a sealed lock. */
export function putCommand(): Command {
  return new Command('put')
    .description('write a built function into the lock, and seal it: --address, --lambda or --local')
    .argument('<function>', 'name or name@stage; its build is NAME.build.json')
    .option('--address <url>', 'where the adapter reaches it over https')
    .addOption(
      new Option(
        '--lambda <arn>',
        'the published version of a Lambda function: its ARN, :NUMBER included',
      ).conflicts('address'),
    )
    .addOption(
      new Option(
        '--local <file>',
        'the bundle that the adapter itself runs, relative to its configuration',
      ).conflicts(['address', 'lambda', 'keys']),
    )
    .option('--from <folder>', 'folder of the build', 'out')
    .option('--keys <file>', 'its public keys (default: NAME.jwks.json)')
    .option('--lock <file>', 'the lock', 'bundles.lock.json')
    .option('--signer <file>', 'key that seals the lock', 'lock-signer.key.json')
    .option('--trust <file>', 'keys of others who may have sealed the lock before (JWKS)')
    .option('--keep-old', 'accept the versions locked before as well')
    .addOption(lifeOption())
    .action(async (given: string, options: PutCommandOptions) => {
      const name = given.includes('@') ? given : `${given}@live`;
      const bare = name.replace(/@.*/, '');
      const manifest = await readManifest(options.from, bare);
      const entry = await entryOf(manifest, options, options.keys ?? `${bare}.jwks.json`);
      const lock = await putFunction({
        lockFile: options.lock,
        signerFile: options.signer,
        trustFile: options.trust,
        name,
        entry,
        keepOld: options.keepOld ?? false,
        lifeDays: daysOf(options.life),
      });
      print(`${options.lock}: seq ${lock.seq}, ${name} at ${entry.address}, ${endOf(lock)}`);
    });
}

async function entryOf(
  manifest: BuildManifest,
  { address, lambda, local }: PutCommandOptions,
  keysFile: string,
): Promise<LockedFunction> {
  if (local !== undefined) return localEntry(manifest, local);
  if (lambda !== undefined) return await lambdaEntry(manifest, lambda, keysFile);
  return await httpsEntry(manifest, address, keysFile);
}

/** AWS prints the ARN of a version with the number behind it: the lock has them apart. */
async function lambdaEntry(
  manifest: BuildManifest,
  qualified: string,
  keysFile: string,
): Promise<LockedFunction> {
  const [, arn = qualified, version] = /^(.*):([1-9]\d{0,18})$/.exec(qualified) ?? [];
  const address = parseLambdaAddress(arn);
  if (version === undefined || 'problem' in address) {
    throw new PluginError('INPUT_INVALID', {
      happened: '--lambda cannot be used',
      expected: 'the ARN of a published version: arn:aws:lambda:REGION:ACCOUNT:function:NAME:NUMBER',
      remedy: 'Take FunctionArn of what `aws lambda publish-version` prints.',
    });
  }
  const keys = await readPublicKeys(keysFile, 'the key file', 'KEY_FILE_INVALID');
  const { type, handles } = manifest;
  const accepts = [acceptedLambda(manifest, version)];
  return { type, target: 'lambda', address: arn, handles, accepts, keys: [...keys.keys] };
}

async function httpsEntry(
  manifest: BuildManifest,
  url: string | undefined,
  keysFile: string,
): Promise<LockedFunction> {
  const address = normaliseAddress(url ?? '');
  if ('problem' in address) {
    throw new PluginError('INPUT_INVALID', {
      happened:
        url === undefined ? 'there is none of --address, --lambda and --local' : '--address cannot be used',
      expected: address.problem.replace(/^expected /, ''),
      remedy: url === undefined ? 'Add one of them.' : 'Correct it.',
    });
  }
  const keys = await readPublicKeys(keysFile, 'the key file', 'KEY_FILE_INVALID');
  return {
    type: manifest.type,
    target: 'https',
    address: address.href,
    handles: manifest.handles,
    accepts: acceptedBuilds(manifest),
    keys: [...keys.keys],
  };
}

function localEntry(manifest: BuildManifest, file: string): LockedFunction {
  const { type, handles } = manifest;
  return {
    type,
    target: 'local',
    address: file,
    handles,
    accepts: [acceptedLocal(manifest, basename(file))],
    keys: [],
  };
}
