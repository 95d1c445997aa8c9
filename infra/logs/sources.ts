import { nearest } from '../../adapter/config/nearest.ts';
import { PluginError } from '../../proto/error.ts';
import { parseLambdaAddress } from '../../proto/lock/lambda-address.ts';
import type { Lock, LockedFunction } from '../../proto/lock/schema.ts';
import { apiAccess, workersApi } from '../deploy/worker/api.ts';
import { lambdaLogs } from './lambda.ts';
import type { LogSource } from './line.ts';
import { workerLogs } from './worker.ts';

/** Where logs are looked for. */
export interface SourceOptions {
  /** The author's project: the AWS SDK is looked up from here. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The sources of some functions of a lock; of all that are in a cloud when no name is given. A name without stage
 * means `live`.
 *
 * @throws PluginError INPUT_INVALID for a name that the lock does not have or that runs in no cloud
 */
export function logSources(
  { functions }: Lock,
  names: readonly string[],
  options: SourceOptions,
): readonly LogSource[] {
  const ids = names.map((name) => (name.includes('@') ? name : `${name}@live`));
  const wanted = ids.length > 0 ? ids : Object.keys(functions);
  const sources = wanted.flatMap((id) => {
    const fn = functions[id];
    if (fn === undefined) throw unknownName(id, Object.keys(functions));
    const source = sourceOf(id, fn, options);
    if (source !== undefined) return [source];
    if (ids.length === 0) return [];
    throw new PluginError('INPUT_INVALID', {
      happened: `${id} runs in no cloud (target ${fn.target})`,
      expected: 'a function on lambda or worker',
      remedy: 'Look into the log of the machine that it runs on: for `local`, that of SFTPGo.',
    });
  });
  if (sources.length > 0) return sources;
  throw new PluginError('INPUT_INVALID', {
    happened: 'no function of the lock is in a cloud',
    expected: 'one with target lambda or worker',
    remedy: 'Deploy one first: npx sftpgo-plugin-serverless deploy',
  });
}

function sourceOf(
  id: string,
  { target, address, accepts }: LockedFunction,
  { folder, environment }: SourceOptions,
): LogSource | undefined {
  if (target === 'lambda') {
    const lambda = parseLambdaAddress(address);
    return 'name' in lambda ? lambdaLogs(id, lambda, folder) : undefined;
  }
  const worker = accepts.at(-1)?.config['worker'];
  if (target !== 'worker' || typeof worker !== 'string') return undefined;
  return workerLogs(id, worker, workersApi(apiAccess(environment)));
}

function unknownName(id: string, known: readonly string[]): PluginError {
  const near = nearest(id, known);
  return new PluginError('INPUT_INVALID', {
    happened: `the lock has no function ${id}`,
    expected: `one of ${known.join(', ')}`,
    remedy: near === undefined ? 'Correct the name.' : `Did you mean ${near}?`,
  });
}
