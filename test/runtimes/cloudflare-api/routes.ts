import * as z from 'zod';
import { type Version, Worker } from './account.ts';
import { apiErrors } from './envelope.ts';
import type { Namespaces } from './kv.ts';
import { parseUpload } from './multipart.ts';
import {
  deploymentShape,
  scriptShape,
  scriptVersion,
  scriptVersionHead,
  settingsShape,
  subdomainShape,
  workerShape,
  workerVersion,
} from './shapes.ts';

/** What a route works with. */
export interface Asked {
  readonly workers: Map<string, Worker>;
  readonly namespaces: Namespaces;
  readonly account: string;
  /** `acme` of `<name>.acme.workers.dev`. */
  readonly subdomain: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Uint8Array;
}

type Route = (asked: Asked, name: string, rest: string) => unknown;

const secret = z.object({ name: z.string(), text: z.string() });
const domains = z.object({ origins: z.array(z.looseObject({ hostname: z.string() })) });
const shares = z.object({
  versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })),
  annotations: z.record(z.string(), z.string().optional()).default({}),
});

/** `METHOD path` under `/accounts/{account}`; `:name` is a Worker or a namespace, `:rest` one more part. */
const routes: Readonly<Record<string, Route>> = {
  'POST /storage/kv/namespaces': (asked) =>
    asked.namespaces.create(bodyOf(asked, z.object({ title: z.string() })).title),
  'PUT /storage/kv/namespaces/:name/values/:rest': (asked, id, key) => asked.namespaces.put(id, key, asked),
  'GET /workers/subdomain': ({ subdomain }) => ({ subdomain }),
  'GET /workers/account-settings': () => ({ default_usage_model: 'standard', green_compute: false }),
  'GET /workers/scripts': ({ workers }) =>
    [...workers.values()].flatMap((worker) => worker.versions.slice(-1).map((v) => scriptShape(worker, v))),
  'GET /workers/services/:name': (asked, name) => {
    const worker = asked.workers.get(name);
    const version = worker?.versions.at(-1);
    if (worker === undefined || version === undefined) throw apiErrors.noEnvironment();
    // of the last migration that was applied: wrangler uploads the ones after it
    const migrated = worker.versions.findLast(({ migrationTag }) => migrationTag !== undefined);
    const script = {
      ...scriptShape(worker, version),
      last_deployed_from: 'wrangler',
      ...(migrated === undefined ? {} : { migration_tag: migrated.migrationTag }),
    };
    return { id: name, default_environment: { environment: 'production', script }, environments: [] };
  },
  'PUT /workers/scripts/:name': async (asked, name) => {
    const upload = await parseUpload(asked.contentType, asked.body);
    const worker = asked.workers.get(name) ?? new Worker(name);
    const version = worker.upload(upload);
    asked.workers.set(name, worker);
    worker.deploy([{ version_id: version.id, percentage: 100 }], { 'workers/triggered_by': 'upload' });
    return scriptShape(worker, version);
  },
  'DELETE /workers/scripts/:name': ({ workers }, name) => {
    if (!workers.delete(name)) throw apiErrors.noWorker();
    return null;
  },
  'POST /workers/scripts/:name/versions': async (asked, name) => {
    const worker = workerOf(asked, name);
    return scriptVersion(worker.upload(await parseUpload(asked.contentType, asked.body)));
  },
  'GET /workers/scripts/:name/versions': (asked, name) => ({
    items: [...workerOf(asked, name).versions].reverse().map(scriptVersionHead),
  }),
  'GET /workers/scripts/:name/versions/:rest': (asked, name, id) =>
    scriptVersion(workerOf(asked, name).version(id)),
  'GET /workers/scripts/:name/deployments': (asked, name) => ({
    deployments: workerOf(asked, name).deployments.map(deploymentShape),
  }),
  'GET /workers/scripts/:name/deployments/:rest': (asked, name, id) => {
    const found = workerOf(asked, name).deployments.find((deployment) => deployment.id === id);
    if (found === undefined) throw apiErrors.noVersion();
    return deploymentShape(found);
  },
  'POST /workers/scripts/:name/deployments': (asked, name) => {
    const { versions, annotations } = bodyOf(asked, shares);
    const kept = Object.entries(annotations).flatMap(([key, value]) => (value ? [[key, value]] : []));
    return deploymentShape(workerOf(asked, name).deploy(versions, Object.fromEntries(kept)));
  },
  'GET /workers/scripts/:name/secrets': (asked, name) => secretsOf(newest(asked, name)),
  'PUT /workers/scripts/:name/secrets': (asked, name) => {
    const { name: key, text } = bodyOf(asked, secret);
    deploySecrets(workerOf(asked, name), { [key]: text });
    return { name: key, type: 'secret_text' };
  },
  'DELETE /workers/scripts/:name/secrets/:rest': (asked, name, key) => {
    deploySecrets(workerOf(asked, name), { [key]: undefined });
    return null;
  },
  'PATCH /workers/scripts/:name/secrets-bulk': (asked, name) => {
    const { secrets } = bodyOf(asked, z.object({ secrets: z.record(z.string(), secret.nullable()) }));
    const changes = Object.entries(secrets).map(([key, value]) => [key, value?.text] as const);
    deploySecrets(workerOf(asked, name), Object.fromEntries(changes));
    return secretsOf(newest(asked, name));
  },
  'GET /workers/scripts/:name/settings': (asked, name) =>
    settingsShape(workerOf(asked, name), newest(asked, name)),
  'PATCH /workers/scripts/:name/settings': (asked, name) =>
    settingsShape(workerOf(asked, name), newest(asked, name)),
  'GET /workers/scripts/:name/script-settings': (asked, name) => nonVersioned(asked, name),
  'PATCH /workers/scripts/:name/script-settings': (asked, name) => {
    const worker = workerOf(asked, name);
    const changes = bodyOf(
      asked,
      z.looseObject({
        tags: z.array(z.string()).nullish(),
        tail_consumers: z.array(z.object({ service: z.string() })).nullish(),
      }),
    );
    if (changes.tags !== undefined) worker.tags = changes.tags ?? [];
    if (changes.tail_consumers !== undefined) worker.tailConsumers = changes.tail_consumers ?? [];
    return nonVersioned(asked, name);
  },
  'GET /workers/scripts/:name/subdomain': (asked, name) =>
    subdomainShape(workerOf(asked, name), hostOf(asked)),
  'POST /workers/scripts/:name/subdomain': (asked, name) => {
    const worker = workerOf(asked, name);
    const wanted = bodyOf(
      asked,
      z.object({ enabled: z.boolean(), previews_enabled: z.boolean().optional() }),
    );
    worker.subdomain = {
      enabled: wanted.enabled,
      previews_enabled: wanted.previews_enabled ?? worker.subdomain.previews_enabled,
    };
    return subdomainShape(worker, hostOf(asked));
  },
  'GET /workers/scripts/:name/schedules': () => ({ schedules: [] }),
  'PUT /workers/scripts/:name/schedules': () => ({ schedules: [] }),
  'GET /workers/scripts/:name/references': () => ({ services: { incoming: [], outgoing: [] } }),
  'GET /workers/tails/by-consumer/:name': () => [],
  'GET /workers/domains/records': () => [],
  'POST /workers/scripts/:name/domains/changeset': () => ({
    added: [],
    removed: [],
    updated: [],
    conflicting: [],
  }),
  'PUT /workers/scripts/:name/domains/records': (asked, name) => {
    const worker = workerOf(asked, name);
    const { origins } = bodyOf(asked, domains);
    const hosts = origins.map(({ hostname }) => hostname);
    // one Worker at a time has a domain: wrangler overrides without a question where nobody can be asked
    for (const other of asked.workers.values()) {
      other.domains = other.domains.filter((host) => !hosts.includes(host));
    }
    worker.domains = hosts;
    return origins;
  },
  'GET /workers/workers/:name': (asked, name) => workerShape(workerOf(asked, name), hostOf(asked)),
  'GET /workers/workers/:name/versions': (asked, name) => {
    const worker = workerOf(asked, name);
    return [...worker.versions].reverse().map((v) => workerVersion(worker, v, hostOf(asked), false));
  },
  'PATCH /workers/workers/:name/versions/:rest': (asked, name, id) => {
    const worker = workerOf(asked, name);
    if (id !== 'latest') throw apiErrors.invalid('a version does not change');
    const { env } = bodyOf(
      asked,
      z.object({ env: z.record(z.string(), z.object({ text: z.string() }).nullable()) }),
    );
    const changes = Object.entries(env).map(([key, value]) => [key, value?.text] as const);
    return workerVersion(worker, worker.withSecrets(Object.fromEntries(changes)), hostOf(asked), false);
  },
  'GET /workers/workers/:name/versions/:rest': (asked, name, id) => {
    const worker = workerOf(asked, name);
    const version = id === 'latest' ? newest(asked, name) : worker.version(id);
    return workerVersion(worker, version, hostOf(asked), asked.query.get('include') === 'modules');
  },
};

/** The answer to a request under `/accounts/{account}`; throws ApiError. */
export async function route(method: string, path: string, asked: Asked): Promise<unknown> {
  for (const [pattern, handler] of Object.entries(routes)) {
    const [wanted = '', shape = ''] = pattern.split(' ');
    if (wanted !== method) continue;
    const source = shape.replace(':name', '(?<name>[^/]+)').replace(':rest', '(?<rest>[^/]+)');
    const match = new RegExp(`^${source}$`).exec(path);
    if (match === null) continue;
    const { name = '', rest = '' } = match.groups ?? {};
    return await handler(asked, decodeURIComponent(name), decodeURIComponent(rest));
  }
  throw apiErrors.noRoute();
}

function workerOf({ workers }: Asked, name: string): Worker {
  const worker = workers.get(name) ?? [...workers.values()].find(({ id }) => id === name);
  if (worker === undefined) throw apiErrors.noWorker();
  return worker;
}

function newest(asked: Asked, name: string): Version {
  const version = workerOf(asked, name).versions.at(-1);
  if (version === undefined) throw apiErrors.noWorker();
  return version;
}

function deploySecrets(worker: Worker, changes: Readonly<Record<string, string | undefined>>): void {
  const version = worker.withSecrets(changes);
  worker.deploy([{ version_id: version.id, percentage: 100 }], { 'workers/triggered_by': 'secret' });
}

function secretsOf({ bindings }: Version): object[] {
  return bindings.filter(({ type }) => type === 'secret_text').map(({ name, type }) => ({ name, type }));
}

function nonVersioned(asked: Asked, name: string): object {
  const { tags, tailConsumers } = workerOf(asked, name);
  return { logpush: false, observability: { enabled: false }, tags, tail_consumers: tailConsumers };
}

function hostOf({ subdomain }: Asked): string {
  return `${subdomain}.workers.dev`;
}

function bodyOf<T extends z.ZodType>({ body }: Asked, schema: T): z.infer<T> {
  const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(body)));
  if (parsed.success) return parsed.data;
  throw apiErrors.invalid(`${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`);
}
