import { create } from '@bufbuild/protobuf';
import { PluginError } from '../../proto/error.ts';
import type { LockedFunction } from '../../proto/lock/schema.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { nodeCrypto, nodeVerifyingKey } from '../../proto/signature/node.ts';
import type { VerifyingKey } from '../../proto/signature/port.ts';
import type { RoleFiles } from '../config/load-role.ts';
import type { SectionName } from '../config/schema.ts';
import { FunctionClock } from '../invoke/clock.ts';
import type { Connection, Log } from '../invoke/connection.ts';
import { createInvoke } from '../invoke/index.ts';
import { probe } from '../invoke/probe.ts';
import type { Metrics } from '../metrics/registry.ts';
import { timedTarget } from '../metrics/timed-target.ts';
import { compose } from '../policies/compose.ts';
import { policiesOf } from '../policies/index.ts';
import { AnswerError, type Handler, type Verifier } from '../shapes.ts';
import { openTarget } from '../targets/index.ts';
import type { KnownVersions } from '../targets/known-versions.ts';
import { otlpExporter } from '../tracing/otlp.ts';
import { traced } from '../tracing/span.ts';
import { type DriftReport, driftReport } from './drift-report.ts';

/** A role as one reading of its files made it: a handler with what belongs to it. */
export interface Generation<T extends SectionName = SectionName> {
  readonly files: RoleFiles<T>;
  readonly handle: Handler;
  /** One call to the function with every check and no policy: for what SFTPGo does not call, as bans. */
  readonly invoke: Handler;
  readonly verifier: Verifier;
  /** In words: how far the deployed code is proved. */
  readonly proof: string;
  /** Marks what the policies remember as stale. */
  reload(): Promise<void>;
  /** Answers count by these keys only, also those of calls under way: the others have left the lock. Has any? */
  keepKeys(listed: LockedFunction['keys']): boolean;
  /** Looks at what is deployed, now and by a timer, until `close`, or until it is told to `stop`. */
  watch(): void;
  stopWatching(): void;
  close(): Promise<void>;
}

/** What makes two readings the same role: if it is equal, memory and connections are kept. */
export function identityOf(files: RoleFiles): string {
  const { section, locked, identity, caPem, folder, aws, cloudflare, local, state, tracing } = files;
  return JSON.stringify([
    section,
    locked,
    identity.keyid,
    caPem,
    folder,
    aws,
    cloudflare,
    local,
    state,
    tracing,
  ]);
}

/** What a generation shares with the ones before and after it. */
export interface Surroundings {
  readonly log: Log;
  readonly known: KnownVersions;
  /**
   * Told after each answer of the function itself, not of a cache, and after each look at what is deployed: is it the
   * locked code?
   */
  onProved?(proved: boolean): void;
  /** Where a serving role counts. */
  readonly metrics?: Metrics | undefined;
}

/** Builds the handler of a role. Throws LOCK_INVALID for a target or key that cannot be used. */
export function createGeneration<T extends SectionName>(
  type: T,
  files: RoleFiles<T>,
  { log, known, metrics, onProved = () => undefined }: Surroundings,
): Generation<T> {
  const { functionName, locked, section } = files;
  const report = driftReport(functionName, log, onProved);
  const { target, verifier, proof, ownKeys } = openTarget(functionName, locked, {
    known,
    log,
    report: report.looked,
    caPem: files.caPem,
    aws: files.aws,
    cloudflare: files.cloudflare,
    pin: section.pin,
    local: { folder: files.folder, caller: files.caller, config: files.local, log },
    probe: (signal) => probe(connection, pluginTypes[type].service.typeName, signal),
  });
  const keys = verifyingKeys(locked.keys);
  const connection: Connection = {
    functionName,
    target: metrics ? timedTarget(target, locked.target, metrics) : target,
    verifier,
    require: section.integrity.require,
    signingKey: files.identity,
    keys: ownKeys ?? ((keyid) => keys.get(keyid)),
    crypto: nodeCrypto,
    clock: new FunctionClock(),
    log,
  };
  let stop: (() => void) | undefined;
  const stopWatching = () => {
    stop?.();
    stop = undefined;
  };
  const exporter =
    files.tracing &&
    otlpExporter(files.tracing.otlp, {
      type,
      log,
      dropped: (spans) => metrics?.count('spans_dropped_total', {}, spans),
    });
  const answered = watched(createInvoke(connection), report);
  const of = { functionName, target: locked.target };
  const invoke = exporter ? traced(answered, of, (span) => exporter.keep(span)) : answered;
  const policies = policiesOf(type, section, {
    functionName,
    log,
    ...(metrics ? { count: metrics.count.bind(metrics), gauge: metrics.gauge.bind(metrics) } : {}),
  });
  return {
    files,
    verifier,
    proof,
    handle: compose(policies, onlyHandled(functionName, new Set(locked.handles), invoke)),
    invoke,
    async reload() {
      for (const policy of policies) await policy.reload?.();
    },
    keepKeys(listed) {
      const kept = verifyingKeys(listed);
      const before = keys.size;
      for (const keyid of keys.keys()) if (!kept.has(keyid)) keys.delete(keyid);
      return keys.size < before;
    },
    watch() {
      stop ??= verifier.watch?.();
    },
    stopWatching,
    async close() {
      stopWatching();
      for (const policy of policies) await policy.close?.();
      await exporter?.close();
      await target.close();
    },
  };
}

function verifyingKeys(listed: LockedFunction['keys']): Map<string, VerifyingKey> {
  return new Map(
    listed.map(({ kty, crv, x }) => {
      const key = nodeVerifyingKey({ kty, crv, x });
      return [key.keyid, key];
    }),
  );
}

/** A signed error is an answer of the locked code too; of an unreachable function nothing new is known. */
function watched(next: Handler, report: DriftReport): Handler {
  return async (call) => {
    try {
      const reply = await next(call);
      report.answered();
      return reply;
    } catch (error) {
      if (error instanceof AnswerError) report.answered();
      if (error instanceof PluginError && error.code === 'DRIFT') report.answered(error);
      throw error;
    }
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
