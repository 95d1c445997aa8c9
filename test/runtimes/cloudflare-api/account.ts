import { createHash, randomUUID } from 'node:crypto';
import { apiErrors } from './envelope.ts';

/** A binding as it is uploaded: for a secret with its value, which no answer of the API shows. */
export interface Binding {
  readonly name: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One module as it was uploaded. */
export interface Module {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A version: immutable from its upload on. */
export interface Version {
  readonly id: string;
  readonly number: number;
  readonly createdOn: string;
  readonly mainModule: string;
  readonly modules: readonly Module[];
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly exports: unknown;
  readonly migrationTag: string | undefined;
}

export interface Deployment {
  readonly id: string;
  readonly createdOn: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

/** What an upload carries in its `metadata` and its further parts. */
export interface Upload {
  readonly mainModule: string;
  readonly modules: readonly Module[];
  readonly bindings: readonly Binding[];
  /** Types of bindings that are kept from the version before: `secret_text`. */
  readonly keepBindings: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly tailConsumers: readonly { readonly service: string }[] | undefined;
  readonly exports: unknown;
  readonly migrationTag: string | undefined;
}

const secretTypes: readonly string[] = ['secret_text', 'secret_key'];

/** One Worker of the account: its versions, its deployments and what belongs to no version. */
export class Worker {
  readonly id = randomUUID().replaceAll('-', '');
  readonly createdOn = new Date().toISOString();
  readonly name: string;
  /** The newest last. */
  readonly versions: Version[] = [];
  /** The newest, which takes the traffic, first. */
  readonly deployments: Deployment[] = [];
  subdomain = { enabled: true, previews_enabled: false };
  /** Its custom domains, by host name. */
  domains: readonly string[] = [];
  tags: readonly string[] = [];
  tailConsumers: readonly { readonly service: string }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  version(id: string): Version {
    const found = this.versions.find((version) => version.id === id);
    if (found === undefined) throw apiErrors.noVersion();
    return found;
  }

  /** Adds a version. Bindings that are kept or inherited come from the newest one before. */
  upload(upload: Upload): Version {
    const before = this.versions.at(-1)?.bindings ?? [];
    const resolved = upload.bindings.map((binding) => {
      if (binding.type !== 'inherit') return binding;
      const wanted = typeof binding['old_name'] === 'string' ? binding['old_name'] : binding.name;
      const inherited = before.find(({ name }) => name === wanted);
      if (inherited === undefined) throw apiErrors.invalid(`there is no binding ${wanted} to inherit`);
      return { ...inherited, name: binding.name };
    });
    const named = new Set(resolved.map(({ name }) => name));
    const kept = before.filter(({ name, type }) => upload.keepBindings.includes(type) && !named.has(name));
    const version: Version = {
      ...upload,
      id: randomUUID(),
      number: this.versions.length + 1,
      createdOn: new Date().toISOString(),
      bindings: [...resolved, ...kept],
    };
    this.versions.push(version);
    if (upload.tailConsumers !== undefined) this.tailConsumers = upload.tailConsumers;
    return version;
  }

  /** Another version with other secrets; `undefined` takes one away. As of the API, a secret is a new version. */
  withSecrets(changes: Readonly<Record<string, string | undefined>>): Version {
    const last = this.versions.at(-1);
    if (last === undefined) throw apiErrors.noWorker();
    const added = Object.entries(changes).flatMap(([name, text]) =>
      text === undefined ? [] : [{ name, type: 'secret_text', text }],
    );
    const version: Version = {
      ...last,
      id: randomUUID(),
      number: this.versions.length + 1,
      createdOn: new Date().toISOString(),
      bindings: [...last.bindings.filter(({ name }) => !Object.hasOwn(changes, name)), ...added],
    };
    this.versions.push(version);
    return version;
  }

  /** Gives the traffic to these versions. */
  deploy(versions: Deployment['versions'], annotations: Readonly<Record<string, string>> = {}): Deployment {
    for (const { version_id: id } of versions) this.version(id);
    const whole = versions.reduce((sum, { percentage }) => sum + percentage, 0);
    if (versions.length === 0 || versions.length > 2 || whole !== 100) {
      throw apiErrors.invalid('a deployment has one or two versions whose percentages make 100');
    }
    const deployment = {
      id: randomUUID(),
      createdOn: new Date().toISOString(),
      annotations: { 'workers/triggered_by': 'deployment', ...annotations },
      versions,
    };
    this.deployments.unshift(deployment);
    return deployment;
  }
}

/** A binding as the API shows it: no value of a secret. */
export function shown(binding: Binding): Record<string, unknown> {
  const { name, type, ...rest } = binding;
  return secretTypes.includes(type) ? { name, type } : { name, type, ...rest };
}

/** "Hashed script content". */
export function etagOf({ modules }: Version): string {
  const hash = createHash('sha256');
  for (const { name, bytes } of modules) hash.update(name).update(bytes);
  return hash.digest('hex');
}
