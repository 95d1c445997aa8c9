import type { ProjectFunction } from '../project.ts';
import { apiAccess, type WorkersApi, workersApi } from './api.ts';
import { readSettings, type WorkerSettings } from './settings.ts';
import { findWrangler, type Wrangler } from './wrangler.ts';

/** Where the project is and what the environment says. */
export interface WorkerCloudOptions {
  /** The folder with serverless.yml; wrangler is looked up from here. */
  readonly folder: string;
  /** CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_BASE_URL, PLUGIN_CALLERS, and what wrangler reads. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Everything that one step for one Worker works with. */
export interface Session extends WorkerCloudOptions {
  readonly wrangler: Wrangler;
  readonly settings: WorkerSettings;
  readonly api: WorkersApi;
}

/** Opens one. Throws TOOL_MISSING or CONFIG_INVALID; asks Cloudflare nothing. */
export async function openSession(options: WorkerCloudOptions, fn: ProjectFunction): Promise<Session> {
  const { folder, environment } = options;
  const wrangler = await findWrangler(folder);
  const settings = await readSettings(wrangler, fn, environment);
  const access = apiAccess(environment, settings.account_id);
  return {
    folder,
    wrangler,
    settings,
    api: workersApi(access),
    environment: { ...environment, CLOUDFLARE_ACCOUNT_ID: access.account },
  };
}
