import { randomBytes } from 'node:crypto';
import { create, type DescMethod, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { PluginError } from '../../../proto/error.ts';
import { Bans } from '../../../proto/gen/bans/bans_pb.ts';
import type { CallTraits } from '../../../proto/plugin-types.ts';
import { compose } from '../../policies/compose.ts';
import { deadline } from '../../policies/shared/deadline.ts';
import { retry } from '../../policies/shared/retry.ts';
import { Role } from '../../role/role.ts';
import { AnswerError, type Call } from '../../shapes.ts';
import { remark } from '../output.ts';

/** Each write names its call, so one that is sent twice is done once. */
const traits: CallTraits = { deadlineMs: 15_000, repeat: 'same-id', maxInputBytes: 1 << 16 };

/** Makes calls to the ipfilter function of a configuration, all checks included. */
export type CallBans = <M extends DescMethod>(
  method: M,
  input: MessageInitShape<M['input']>,
) => Promise<MessageShape<M['output']>>;

/**
 * Opens the ipfilter function of the configuration, as the plugin would: target, signature, evidence.
 *
 * Throws what reading the files throws; CONFIG_INVALID when the function handles no bans or does not list this
 * adapter; UNREACHABLE, DRIFT, ANSWER_* as every call; INPUT_INVALID for what the function does not take.
 */
export async function withBans<T>(
  configPath: string,
  work: (call: CallBans, functionName: string) => Promise<T>,
): Promise<T> {
  const log = { debug() {}, info() {}, warn: remark, error() {} };
  const role = new Role({ type: 'ipfilter', configPath, log });
  try {
    const { files, invoke } = await role.current();
    const { functionName } = files;
    if (!files.locked.handles.includes(`${Bans.typeName}/${Bans.method.add.name}`))
      throw noBans(functionName);
    const handle = compose([deadline(), retry()], invoke);
    const ask: CallBans = async <M extends DescMethod>(method: M, input: MessageInitShape<M['input']>) => {
      const call: Call = {
        method,
        traits,
        input: create<M['input']>(method.input, input),
        id: randomBytes(16).toString('hex'),
        deadlineMs: performance.now() + traits.deadlineMs,
        signal: new AbortController().signal,
      };
      try {
        // the answer was decoded as the message of this very method
        return (await handle(call)).output as MessageShape<M['output']>;
      } catch (error) {
        throw error instanceof AnswerError ? explained(error, functionName, files.identity.keyid) : error;
      }
    };
    return await work(ask, functionName);
  } finally {
    await role.close();
  }
}

function noBans(functionName: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `${functionName} does not handle bans`,
    expected: `${Bans.typeName} among what it handles in the lock`,
    remedy: 'Build bans into the ipfilter function (docs/bans.md), deploy it and take its lock.',
  });
}

function explained(error: AnswerError, functionName: string, keyid: string): PluginError {
  switch (error.connect) {
    case 'permission_denied':
      return new PluginError('CONFIG_INVALID', {
        happened: `${functionName} takes no bans of this adapter, ${keyid}`,
        expected: 'the key of this adapter in its setting PLUGIN_REPORTERS',
        remedy: 'Add the public key that `keys list` prints, and deploy the setting.',
        cause: error,
      });
    case 'invalid_argument':
      return new PluginError('INPUT_INVALID', {
        happened: `${functionName} did not take it: ${error.functionText}`,
        expected: 'what its bans allow',
        remedy: 'Correct the network or the time.',
        cause: error,
      });
    default:
      return error;
  }
}
