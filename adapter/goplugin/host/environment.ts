import type { MagicCookie } from '../server/cookie.ts';

/** What go-plugin's client tells a plugin through its environment. */
export interface PluginVariables {
  readonly cookie: MagicCookie;
  readonly versions: readonly number[];
  /** PEM of the host's one-time certificate, with AutoMTLS. */
  readonly clientCertificate: string | undefined;
  readonly multiplex: boolean;
}

/**
 * The plugin's whole environment: the given variables and go-plugin's own, which win (client.go, `Start`).
 * Nothing of this process is inherited.
 */
export function pluginEnvironment(
  given: Readonly<Record<string, string>>,
  { cookie, versions, clientCertificate, multiplex }: PluginVariables,
): Record<string, string> {
  return {
    ...given,
    [cookie.name]: cookie.value,
    PLUGIN_MIN_PORT: '10000',
    PLUGIN_MAX_PORT: '25000',
    PLUGIN_PROTOCOL_VERSIONS: versions.join(','),
    ...(multiplex ? { PLUGIN_MULTIPLEX_GRPC: 'true' } : {}),
    ...(clientCertificate === undefined ? {} : { PLUGIN_CLIENT_CERT: clientCertificate }),
  };
}
