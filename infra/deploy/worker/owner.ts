import { PluginError } from '../../../proto/error.ts';
import type { DeployFunction } from '../cloud.ts';
import { workerNameOf } from '../place.ts';
import type { Session } from './session.ts';

/**
 * Before anything is changed: each function has a Worker of its own, and one that is there already and gets calls is
 * this function's. A deployment gives all calls of a Worker to its version.
 *
 * @throws PluginError CONFIG_INVALID naming both
 */
export async function checkOwner(
  { settings, api }: Pick<Session, 'settings' | 'api'>,
  { id, locked }: Pick<DeployFunction, 'id' | 'locked'>,
  owners: Map<string, string>,
): Promise<void> {
  const { file, name } = settings;
  const other =
    owners.get(name) ?? (workerNameOf(locked) === name ? undefined : await ownerOf(name, id, api));
  owners.set(name, id);
  if (other === undefined) return;
  throw new PluginError('CONFIG_INVALID', {
    happened: `${file}: Worker ${name} is ${other} already`,
    expected: `a Worker for ${id} alone`,
    remedy: 'Give it another name; or delete that Worker, if nobody needs it.',
  });
}

/** What else than a function is the Worker that gets calls? undefined: nothing else. */
async function ownerOf(name: string, id: string, api: Session['api']): Promise<string | undefined> {
  for (const { version_id: version } of await api.deployed(name)) {
    const { bindings = [] } = (await api.version(name, version)) ?? {};
    const own = bindings.find((binding) => binding.name === 'PLUGIN_FUNCTION')?.['text'];
    if (own !== id) return typeof own === 'string' ? own : 'another program';
  }
  return undefined;
}
