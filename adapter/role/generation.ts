import { create } from '@bufbuild/protobuf';
import { PluginError } from '../../proto/error.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { nodeCrypto, nodeVerifyingKey } from '../../proto/signature/node.ts';
import type { RoleFiles } from '../config/load-role.ts';
import type { SectionName } from '../config/schema.ts';
import { FunctionClock } from '../invoke/clock.ts';
import type { Connection, Log } from '../invoke/connection.ts';
import { createInvoke } from '../invoke/index.ts';
import { probe } from '../invoke/probe.ts';
import { compose } from '../policies/compose.ts';
import { policiesOf } from '../policies/index.ts';
import type { Handler, Verifier } from '../shapes.ts';
import { openTarget } from '../targets/index.ts';

/** A role as one reading of its files made it: a handler with what belongs to it. */
export interface Generation {
  readonly files: RoleFiles;
  readonly handle: Handler;
  readonly verifier: Verifier;
  /** In words: how far the deployed code is proved. */
  readonly proof: string;
  /** Marks what the policies remember as stale. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** What makes two readings the same role: if it is equal, memory and connections are kept. */
export function identityOf(files: RoleFiles): string {
  const { section, locked, identity, caPem, folder, local } = files;
  return JSON.stringify([section, locked, identity.keyid, caPem, folder, local]);
}

/** Builds the handler of a role. Throws LOCK_INVALID for a target or key that cannot be used. */
export function createGeneration<T extends SectionName>(type: T, files: RoleFiles<T>, log: Log): Generation {
  const { functionName, locked, section } = files;
  const { target, verifier, proof, ownKeys } = openTarget(functionName, locked, {
    caPem: files.caPem,
    local: { folder: files.folder, caller: files.caller, config: files.local, log },
    probe: (signal) => probe(connection, pluginTypes[type].service.typeName, signal),
  });
  const keys = new Map(
    locked.keys.map(({ kty, crv, x }) => {
      const key = nodeVerifyingKey({ kty, crv, x });
      return [key.keyid, key];
    }),
  );
  const connection: Connection = {
    functionName,
    target,
    verifier,
    require: section.integrity.require,
    signingKey: files.identity,
    keys: ownKeys ?? ((keyid) => keys.get(keyid)),
    crypto: nodeCrypto,
    clock: new FunctionClock(),
    log,
  };
  const policies = policiesOf(type, section, { functionName, log });
  return {
    files,
    verifier,
    proof,
    handle: compose(policies, onlyHandled(functionName, new Set(locked.handles), createInvoke(connection))),
    async reload() {
      for (const policy of policies) await policy.reload?.();
    },
    async close() {
      for (const policy of policies) await policy.close?.();
      await target.close();
    },
  };
}

/** RPCs the function does not implement: a Reload has nothing to reload there; anything else is a wrong setup. */
function onlyHandled(functionName: string, handles: ReadonlySet<string>, next: Handler): Handler {
  return async (call) => {
    if (handles.has(call.method.name)) return await next(call);
    if (call.method.name === 'Reload') return { output: create(call.method.output) };
    throw new PluginError('CONFIG_INVALID', {
      happened: `${functionName} does not handle ${call.method.name}`,
      expected: `calls that it handles: ${[...handles].join(', ')}`,
      remedy: 'Let `host-config` print the entry for SFTPGo again.',
    });
  };
}
