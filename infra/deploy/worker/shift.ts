import type { DeployedVersion } from '../../../adapter/targets/worker/found.ts';
import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { Report } from '../cloud.ts';
import type { ProjectFunction } from '../project.ts';
import { driftOf } from './drift.ts';
import { configArguments } from './form.ts';
import { checkLocked } from './move.ts';
import type { Session } from './session.ts';
import { runWrangler } from './wrangler.ts';

/** A version and its share. */
export interface Share {
  readonly version: string;
  readonly percent: number;
}

/** `Cloud.shift` of a Worker: its deployment, then its routes and the rest that belongs to no version. */
export async function shift(
  session: Session,
  fn: ProjectFunction,
  locked: LockedFunction,
  { version, percent = 100 }: { version: string; percent?: number | undefined },
  report: Report,
): Promise<void> {
  const { settings, api, wrangler, folder, environment } = session;
  const { name } = settings;
  await checkLocked(session, fn.id, locked);
  const shares = sharesOf(fn.id, locked, await api.deployed(name), { version, percent });
  if (shares !== undefined) {
    const specs = shares.map((share) => `${share.version}@${share.percent}%`);
    await runWrangler(wrangler, {
      folder,
      environment,
      args: ['versions', 'deploy', ...specs, '--yes', '--name', name, ...configArguments(settings)],
      purpose: `give Worker ${name} its traffic`,
    });
    report(`${fn.id}: ${specs.join(', ')} of the calls`);
  }
  await giveAddresses(session, fn, locked.address, report);
}

/** `Cloud.addAddress` of a Worker: what its configuration says of routes, custom domains and workers.dev. */
export async function giveAddresses(
  { settings, wrangler, folder, environment }: Session,
  { id }: ProjectFunction,
  address: string,
  report: Report,
): Promise<void> {
  const { name } = settings;
  await runWrangler(wrangler, {
    folder,
    environment,
    args: ['triggers', 'deploy', '--name', name, ...configArguments(settings)],
    purpose: `give Worker ${name} its address`,
  });
  report(`${id}: Worker ${name} answers at ${address}`);
}

/**
 * What a deployment has to be so that one version gets its share; undefined: it is.
 *
 * Throws INPUT_INVALID for a share that Cloudflare cannot give, DRIFT when a version that the lock does not have would
 * get calls: the adapter would refuse the function.
 */
export function sharesOf(
  id: string,
  { accepts }: Pick<LockedFunction, 'accepts'>,
  now: readonly DeployedVersion[],
  { version, percent }: Share,
): readonly Share[] | undefined {
  const others = now.filter(({ version_id: other, percentage }) => other !== version && percentage > 0);
  const refuse = (happened: string, expected: string, remedy: string) =>
    new PluginError('INPUT_INVALID', { happened: `${id}: ${happened}`, expected, remedy });
  if (!(percent > 0 && percent <= 100)) {
    throw refuse(`${percent} % is no share`, 'more than 0 and at most 100', 'Correct it.');
  }
  const [other] = others;
  if (percent < 100 && other === undefined) {
    throw refuse('no other version can get the rest', 'one that gets calls now', 'Leave the percentage out.');
  }
  if (percent < 100 && others.length > 1) {
    throw refuse(
      'two other versions get calls now',
      'one, for the rest: Cloudflare takes two versions at a time',
      'Give one of them all calls first.',
    );
  }
  const shares = [
    { version, percent },
    ...(percent < 100 && other !== undefined ? [{ version: other.version_id, percent: rest(percent) }] : []),
  ];
  const accepted = new Set(accepts.map((one) => one.version));
  const unknown = shares.find((share) => !accepted.has(share.version));
  if (unknown !== undefined) {
    throw driftOf(id, unknown.version, {
      field: 'the lock entry',
      expected: 'one in the lock, before it gets calls',
      found: 'none',
    });
  }
  const before = now.map(({ version_id, percentage }) => `${version_id}@${percentage}`).sort();
  const after = shares.map((share) => `${share.version}@${share.percent}`).sort();
  return before.join() === after.join() ? undefined : shares;
}

/** Percentages have at most three decimals at Cloudflare; 100 - 99.9 has more in floating point. */
function rest(percent: number): number {
  return Math.round((100 - percent) * 1000) / 1000;
}
