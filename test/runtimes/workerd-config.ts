/** What goes into workerd's configuration. */
export interface WorkerdConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly json: Readonly<Record<string, unknown>>;
  /** Names of bindings that workerd takes from its own environment. */
  readonly secrets: readonly string[];
  readonly tls: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** 0: any free one. */
  readonly port: number;
  readonly compatibilityDate: string | undefined;
  readonly compatibilityFlags: readonly string[] | undefined;
  /** HttpOptions.forwardedProtoHeader: what is in front of this plain socket ended TLS. */
  readonly protoHeader: string | undefined;
  /** Durable Objects by binding: the class, with SQLite in the folder `objects` beside the configuration. */
  readonly objects: Readonly<Record<string, string>>;
  /** KV namespaces by binding: the port of a server of 127.0.0.1 that speaks KV's protocol. */
  readonly kv: Readonly<Record<string, number>>;
}

/** A date that every workerd since the pinned one knows and that implies no Node compatibility. */
const defaultDate = '2026-07-01';

/**
 * The configuration of one Worker (worker.mjs beside it) behind one socket of 127.0.0.1, as text of Cap'n Proto
 * (schema: node_modules/workerd/workerd.capnp).
 */
export function workerdConfig(options: WorkerdConfig): string {
  const { env, json, secrets, tls, port, protoHeader, objects, kv } = options;
  const { compatibilityDate = defaultDate, compatibilityFlags = [] } = options;
  const http = protoHeader === undefined ? '()' : `(forwardedProtoHeader = ${quote(protoHeader)})`;
  const bindings = [
    ...Object.entries(env).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`),
    ...Object.entries(json).map(
      ([name, value]) => `(name = ${quote(name)}, json = ${quote(JSON.stringify(value))})`,
    ),
    ...secrets.map((name) => `(name = ${quote(name)}, fromEnvironment = ${quote(name)})`),
    ...Object.entries(objects).map(
      ([name, className]) => `(name = ${quote(name)}, durableObjectNamespace = ${quote(className)})`,
    ),
    ...Object.keys(kv).map((name) => `(name = ${quote(name)}, kvNamespace = ${quote(`kv-${name}`)})`),
  ];
  const services = [
    '(name = "main", worker = .main)',
    '(name = "nowhere", network = (allow = []))',
    '(name = "objects", disk = (path = "objects", writable = true))',
    ...Object.entries(kv).map(
      ([name, at]) =>
        `(name = ${quote(`kv-${name}`)}, external = (address = ${quote(`127.0.0.1:${at}`)}, http = ()))`,
    ),
  ];
  const namespaces = Object.values(objects).map(
    (className) => `(className = ${quote(className)}, uniqueKey = ${quote(className)}, enableSql = true)`,
  );
  const socket =
    tls === undefined
      ? `http = ${http}`
      : `https = (options = (), tlsOptions = (keypair = (privateKey = ${quote(tls.keyPem)}, certificateChain = ${quote(tls.certPem)})))`;
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [${services.join(', ')}],
  sockets = [(name = "main", address = "127.0.0.1:${port}", service = "main", ${socket})]
);

const main :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  bindings = [${bindings.join(', ')}],
  durableObjectNamespaces = [${namespaces.join(', ')}],
  durableObjectStorage = (localDisk = "objects"),
  globalOutbound = "nowhere",
  compatibilityDate = ${quote(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quote).join(', ')}]
);
`;
}

/** A Cap'n Proto string: C's escapes, bytes in hexadecimal for what is not printable. */
function quote(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/gu, (character) =>
      [...new TextEncoder().encode(character)]
        .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
        .join(''),
    );
  return `"${escaped}"`;
}
