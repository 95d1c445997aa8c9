import type { WorkerSettings } from './settings.ts';

type Section = Readonly<Record<string, unknown>>;

/**
 * The configuration that a Worker is created with: as it is written, but with no address. `wrangler versions upload`
 * needs a Worker that exists, and `wrangler deploy`, which creates one, gives the new version all of its traffic at
 * once: without route, workers.dev and preview URL nobody can call it before the lock has it.
 *
 * Secrets that the author names are not required yet: they can only be put into a Worker that exists.
 */
export function creationConfig({ raw, env }: WorkerSettings, bundle: string): Section {
  const sections = env === undefined ? {} : { env: { [env]: unreachable(Object(Object(raw['env'])[env])) } };
  const { env: _, $schema: __, ...top } = raw;
  return { ...unreachable(top), main: bundle, ...sections };
}

function unreachable({ route: _, ...section }: Section): Section {
  const secrets = { ...Object(section['secrets']), required: ['PLUGIN_KEY'] };
  return { ...section, routes: [], workers_dev: false, preview_urls: false, secrets };
}
