import { Command, InvalidArgumentError, Option } from 'commander';
import { print } from '../../adapter/cli/output.ts';
import { readPublicKeys } from '../../adapter/config/key-files.ts';
import { parseDurationMs } from '../../adapter/config/units.ts';
import { PluginError } from '../../proto/error.ts';
import { normaliseAddress } from '../../proto/lock/address.ts';
import { acceptedBuilds, readManifest } from '../build/manifest.ts';
import { putFunction } from '../lock/put.ts';

interface PutCommandOptions {
  readonly address: string;
  readonly from: string;
  readonly keys?: string;
  readonly lock: string;
  readonly signer: string;
  readonly keepOld?: true;
  /** In ms. */
  readonly life: number;
}

const dayMs = 86_400_000;

function life(text: string): number {
  const lifeMs = parseDurationMs(text);
  if (lifeMs === undefined) throw new InvalidArgumentError('expected a duration with its unit: 400d, 12h');
  return lifeMs;
}

function putCommand(): Command {
  return new Command('put')
    .description('write a built function behind an https address into the lock, and seal it')
    .argument('<function>', 'name or name@stage; its build is NAME.build.json')
    .requiredOption('--address <url>', 'where the adapter reaches it')
    .option('--from <folder>', 'folder of the build', 'out')
    .option('--keys <file>', 'its public keys (default: NAME.jwks.json)')
    .option('--lock <file>', 'the lock', 'bundles.lock.json')
    .option('--signer <file>', 'key that seals the lock', 'lock-signer.key.json')
    .option('--keep-old', 'accept the versions locked before as well')
    .addOption(
      new Option('--life <duration>', 'until the lock expires; 0d: never')
        .default(400 * dayMs, '400d')
        .argParser(life),
    )
    .action(async (given: string, options: PutCommandOptions) => {
      const name = given.includes('@') ? given : `${given}@live`;
      const bare = name.replace(/@.*/, '');
      const address = normaliseAddress(options.address);
      if ('problem' in address) {
        throw new PluginError('INPUT_INVALID', {
          happened: '--address cannot be used',
          expected: address.problem.replace(/^expected /, ''),
          remedy: 'Correct it.',
        });
      }
      const manifest = await readManifest(options.from, bare);
      const keys = await readPublicKeys(
        options.keys ?? `${bare}.jwks.json`,
        'the key file',
        'KEY_FILE_INVALID',
      );
      const lock = await putFunction({
        lockFile: options.lock,
        signerFile: options.signer,
        name,
        entry: {
          type: manifest.type,
          target: 'https',
          address: address.href,
          handles: manifest.handles,
          accepts: acceptedBuilds(manifest),
          keys: [...keys.keys],
        },
        keepOld: options.keepOld ?? false,
        lifeDays: options.life / dayMs,
      });
      const end = lock.expires === undefined ? 'never expires' : `expires ${lock.expires.slice(0, 10)}`;
      print(`${options.lock}: seq ${lock.seq}, ${name} at ${address.href}, ${end}`);
    });
}

/** `lock put`: from a build to a sealed lock. */
export function lockCommand(): Command {
  return new Command('lock').description('write the lock').addCommand(putCommand());
}
