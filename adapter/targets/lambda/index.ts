import { PluginError } from '../../../proto/error.ts';
import { lambdaOrigin, parseLambdaAddress } from '../../../proto/lock/lambda-address.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Probed } from '../../invoke/probe.ts';
import type { Target, Verifier } from '../../shapes.ts';
import type { Watching } from '../index.ts';
import { type Lambda, openLambdaClient } from './client.ts';
import { deployedVersion } from './deployed.ts';
import { lambdaVerifier } from './evidence.ts';
import { invokeVersion } from './send.ts';
import type { AwsSettings } from './settings.ts';

/**
 * A function on AWS Lambda, invoked by version, and the check of what runs there. The AWS SDK is loaded at the first
 * call, after the handshake line.
 *
 * Takes `name@stage` and the function's entry in the lock. Throws LOCK_INVALID for an address or versions that
 * cannot be used.
 */
export function openLambda(
  name: string,
  locked: LockedFunction,
  options: Watching & { aws: AwsSettings; probe: (signal: AbortSignal) => Promise<Probed> },
): { target: Target; verifier: Verifier } {
  const arn = locked.address;
  const address = parseLambdaAddress(arn);
  if ('problem' in address) {
    throw new PluginError('LOCK_INVALID', {
      happened: `the address of ${name} cannot be used`,
      expected: address.problem.replace(/^expected /, ''),
      remedy: 'Correct the address and build the lock again.',
    });
  }
  let opened: Promise<Lambda> | undefined;
  const lambda = () => {
    opened ??= openLambdaClient(address.region, options.aws);
    return opened;
  };
  const at = (version: string) => ({ arn, functionName: name, version });
  return {
    target: {
      origin: (version) => lambdaOrigin(address.name, version),
      send: async (message, version, signal) => invokeVersion(await lambda(), at(version), message, signal),
      async close() {
        (await opened)?.client.destroy();
      },
    },
    verifier: lambdaVerifier(name, locked, {
      ...options,
      deployed: async (version) => await deployedVersion(await lambda(), at(version)),
      watchMs: options.aws.watch,
    }),
  };
}
