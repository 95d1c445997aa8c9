import { Buffer } from 'node:buffer';
import { type Deployment, etagOf, shown, type Version, type Worker } from './account.ts';

/** A version as `/workers/scripts/{name}/versions/{id}` shows it. */
export function scriptVersion(version: Version): object {
  return {
    ...scriptVersionHead(version),
    resources: {
      bindings: version.bindings.map(shown),
      script: { etag: etagOf(version), handlers: ['fetch'], last_deployed_from: 'wrangler' },
      script_runtime: {
        compatibility_date: version.compatibilityDate,
        compatibility_flags: version.compatibilityFlags,
        usage_model: 'standard',
        limits: {},
      },
    },
    startup_time_ms: 5,
  };
}

/** The same in the list of versions. */
export function scriptVersionHead(version: Version): object {
  return {
    id: version.id,
    number: version.number,
    metadata: {
      created_on: version.createdOn,
      modified_on: version.createdOn,
      source: 'wrangler',
      author_email: 'deployer@example.com',
      author_id: '00000000000000000000000000000000',
      has_preview: true,
      hasPreview: true,
    },
    annotations: version.annotations,
  };
}

/** A version as `/workers/workers/{name}/versions/{id}` shows it. */
export function workerVersion(worker: Worker, version: Version, host: string, modules: boolean): object {
  return {
    id: version.id,
    number: version.number,
    created_on: version.createdOn,
    urls: worker.subdomain.previews_enabled
      ? [`https://${version.id.slice(0, 8)}-${worker.name}.${host}`]
      : [],
    annotations: version.annotations,
    bindings: version.bindings.map(shown),
    compatibility_date: version.compatibilityDate,
    compatibility_flags: version.compatibilityFlags,
    limits: {},
    main_module: version.mainModule,
    source: 'wrangler',
    usage_model: 'standard',
    ...(version.exports === undefined ? {} : { exports: version.exports }),
    ...(version.migrationTag === undefined ? {} : { migration_tag: version.migrationTag }),
    ...(modules
      ? {
          modules: version.modules.map(({ name, type, bytes }) => ({
            name,
            content_type: type,
            content_base64: Buffer.from(bytes).toString('base64'),
          })),
        }
      : {}),
  };
}

/** A Worker as `/workers/workers/{name}` shows it. */
export function workerShape(worker: Worker, host: string): object {
  return {
    id: worker.id,
    name: worker.name,
    created_on: worker.createdOn,
    updated_on: worker.deployments[0]?.createdOn ?? worker.createdOn,
    deployed_on: worker.deployments[0]?.createdOn ?? null,
    logpush: false,
    observability: { enabled: false },
    references: {
      dispatch_namespace_outbounds: [],
      domains: worker.domains.map((hostname) => ({ hostname })),
      durable_objects: [],
      queues: [],
      workers: [],
    },
    subdomain: { ...worker.subdomain, ...urlsOf(worker, host) },
    tags: worker.tags,
    tail_consumers: worker.tailConsumers.map(({ service }) => ({ name: service })),
  };
}

/** What `/workers/scripts/{name}/subdomain` shows. */
export function subdomainShape(worker: Worker, host: string): object {
  return { ...worker.subdomain, ...urlsOf(worker, host) };
}

function urlsOf({ name }: Worker, host: string): object {
  return { url: `https://${name}.${host}`, preview_url_suffix: `-${name}.${host}` };
}

export function deploymentShape({ id, createdOn, annotations, versions }: Deployment): object {
  return {
    id,
    created_on: createdOn,
    source: 'wrangler',
    strategy: 'percentage',
    author_email: 'deployer@example.com',
    annotations,
    versions,
  };
}

/** What an upload to `/workers/scripts/{name}` answers; wrangler reads the version id out of `deployment_id`. */
export function scriptShape(worker: Worker, version: Version): object {
  return {
    id: worker.name,
    tag: worker.id,
    tags: worker.tags,
    etag: etagOf(version),
    handlers: ['fetch'],
    has_assets: false,
    has_modules: true,
    created_on: worker.createdOn,
    modified_on: version.createdOn,
    usage_model: 'standard',
    compatibility_date: version.compatibilityDate,
    compatibility_flags: version.compatibilityFlags,
    last_deployed_from: 'wrangler',
    logpush: false,
    startup_time_ms: 5,
    entry_point: version.mainModule,
    deployment_id: version.id.replaceAll('-', ''),
  };
}

/** Bindings, compatibility and what belongs to no version, as `/workers/scripts/{name}/settings` shows it. */
export function settingsShape(worker: Worker, version: Version | undefined): object {
  return {
    bindings: (version?.bindings ?? []).map(shown),
    compatibility_date: version?.compatibilityDate ?? '',
    compatibility_flags: version?.compatibilityFlags ?? [],
    usage_model: 'standard',
    logpush: false,
    placement: {},
    tags: worker.tags,
    tail_consumers: worker.tailConsumers,
    observability: { enabled: false },
  };
}
