import { compareVersion } from '../../../adapter/targets/worker/compare.ts';
import type { AcceptedVersion, LockedFunction } from '../../../proto/lock/schema.ts';
import type { Cloud } from '../cloud.ts';
import { workerNameOf } from '../place.ts';
import type { ProjectFunction } from '../project.ts';
import { callersFor } from './callers.ts';
import { driftOf } from './drift.ts';
import { keysOfVersion } from './key.ts';
import { checkMove } from './move.ts';
import { checkOwner } from './owner.ts';
import { prepare, publish } from './publish.ts';
import { openSession, type Session, type WorkerCloudOptions } from './session.ts';
import { giveAddresses, shift } from './shift.ts';

/**
 * Cloudflare Workers, by the wrangler of the project with exactly the built bytes.
 *
 * ```ts
 * const cloud = workerCloud({ folder: project.folder, environment: process.env });
 * const { address, accepted } = await cloud.publish(fn, console.error);
 * ```
 */
export function workerCloud(options: WorkerCloudOptions): Cloud {
  const sessions = new Map<string, Promise<Session>>();
  // one command reads a configuration once: it costs a second, and must not change in between
  const sessionOf = (fn: ProjectFunction): Promise<Session> => {
    const session = sessions.get(fn.id) ?? openSession(options, fn);
    sessions.set(fn.id, session);
    return session;
  };
  return {
    target: 'worker',
    async prepare(functions) {
      const owners = new Map<string, string>();
      for (const fn of functions) {
        const session = await sessionOf(fn);
        callersFor(session.settings, session.environment);
        await checkOwner(session, fn, owners);
        await checkMove(session, fn);
      }
    },
    async plan(fn) {
      const session = await sessionOf(fn);
      const { address, exists, key, same } = await prepare(session, fn);
      const { name } = session.settings;
      const before = workerNameOf(fn.locked) === name ? fn.locked?.address : address;
      const moves = before === address ? [] : [`${fn.id}: let ${address} lead to it, beside ${before}`];
      if (same !== undefined) {
        return [`${fn.id}: Worker ${name} has it already, as version ${same.id}`, ...moves];
      }
      return [
        ...moves,
        ...(key.secret === undefined ? [] : [`${fn.id}: make a key and place it as the secret PLUGIN_KEY`]),
        exists
          ? `${fn.id}: upload a version of Worker ${name}`
          : `${fn.id}: create Worker ${name}, without an address until the lock has it`,
      ];
    },
    publish: async (fn, report) => await publish(await sessionOf(fn), fn, report),
    addAddress: async (fn, { address }, report) =>
      await giveAddresses(await sessionOf(fn), fn, address, report),
    readBack: async (fn, _locked, accepted) => await readBack(await sessionOf(fn), fn, accepted),
    keysOf: async (_fn, locked, accepted) => await keysOfVersion(locked, accepted),
    async shift(fn, locked, version, { percent, report }) {
      await shift(await sessionOf(fn), fn, locked, { version, percent }, report);
    },
    async traffic(fn, _locked: LockedFunction) {
      const { api, settings } = await sessionOf(fn);
      const deployed = await api.deployed(settings.name);
      return deployed.map(({ version_id: version, percentage: percent }) => ({ version, percent }));
    },
  };
}

async function readBack(
  { api, settings }: Session,
  fn: ProjectFunction,
  accepted: AcceptedVersion,
): Promise<void> {
  const { version } = accepted;
  const found = await api.version(settings.name, version);
  const worker = await api.worker(settings.name);
  if (found === undefined || worker === undefined) {
    throw driftOf(fn.id, version, { field: 'version', expected: version, found: 'none' });
  }
  const difference = compareVersion(accepted, found, worker).find(({ ok }) => !ok);
  if (difference !== undefined) throw driftOf(fn.id, version, difference);
}
