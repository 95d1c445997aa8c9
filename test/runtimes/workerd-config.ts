/** What goes into workerd's configuration. */
export interface WorkerdConfig {
  readonly env: Readonly<Record<string, string>>;
  /** Names of bindings that workerd takes from its own environment. */
  readonly secrets: readonly string[];
  readonly tls: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** 0: any free one. */
  readonly port: number;
}

/** A date that every workerd since the pinned one knows and that implies no Node compatibility. */
const compatibilityDate = '2026-07-01';

/**
 * The configuration of one Worker (worker.mjs beside it) behind one socket of 127.0.0.1, as text of Cap'n Proto
 * (schema: node_modules/workerd/workerd.capnp).
 */
export function workerdConfig({ env, secrets, tls, port }: WorkerdConfig): string {
  const bindings = [
    ...Object.entries(env).map(([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`),
    ...secrets.map((name) => `(name = ${quote(name)}, fromEnvironment = ${quote(name)})`),
  ];
  const socket =
    tls === undefined
      ? 'http = ()'
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
  compatibilityDate = ${quote(compatibilityDate)}
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
