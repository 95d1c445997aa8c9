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
}

/** A date that every workerd since the pinned one knows and that implies no Node compatibility. */
const defaultDate = '2026-07-01';

/**
 * The configuration of one Worker (worker.mjs beside it) behind one socket of 127.0.0.1, as text of Cap'n Proto
 * (schema: node_modules/workerd/workerd.capnp).
 */
export function workerdConfig(options: WorkerdConfig): string {
  const { env, json, secrets, tls, port, protoHeader } = options;
  const { compatibilityDate = defaultDate, compatibilityFlags = [] } = options;
  const http = protoHeader === undefined ? '()' : `(forwardedProtoHeader = ${quote(protoHeader)})`;
  const bindings = [
    ...Object.entries(env).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`),
    ...Object.entries(json).map(
      ([name, value]) => `(name = ${quote(name)}, json = ${quote(JSON.stringify(value))})`,
    ),
    ...secrets.map((name) => `(name = ${quote(name)}, fromEnvironment = ${quote(name)})`),
  ];
  const socket =
    tls === undefined
      ? `http = ${http}`
      : `https = (options = (), tlsOptions = (keypair = (privateKey = ${quote(tls.keyPem)}, certificateChain = ${quote(tls.certPem)})))`;
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "nowhere", network = (allow = []))
  ],
  sockets = [(name = "main", address = "127.0.0.1:${port}", service = "main", ${socket})]
);

const main :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  bindings = [${bindings.join(', ')}],
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
