import type { HttpMessage, Target } from '../../../adapter/shapes.ts';
import { createFetch } from '../../../functions/kit/define.ts';
import {
  auth,
  deny,
  denyLogin,
  eventsearcher,
  ipfilter,
  kms,
  metadata,
  notifier,
  type Plugin,
} from '../../../functions/kit/index.ts';
import type { Rpc } from '../../../functions/kit/plugin.ts';
import type { PluginTypeName } from '../../../proto/plugin-types.ts';
import { nodeCrypto } from '../../../proto/signature/node.ts';
import { newKey, publicOf } from '../../support/keys.ts';
import type { CheapKey } from '../rpcs/cheap-keys.ts';

/** What reached the function: one RPC, with the message as the kit decoded it. */
export interface Arrival {
  readonly rpc: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const no = () => denyLogin('nobody');

/** Functions that let nobody in and otherwise do as they are asked. */
const plugins: Readonly<Record<PluginTypeName, Plugin<object>>> = {
  auth: auth<object>({
    checkUserAndPass: no,
    checkUserAndTLSCert: no,
    checkUserAndPublicKey: no,
    checkUserAndKeyboardInteractive: no,
    sendKeyboardAuthRequest: no,
  }),
  // what was sealed is the word "sealed" again
  kms: kms<object>({ encrypt: () => 'c2VhbGVk', decrypt: ({ payload }) => payload }),
  notifier: notifier<object>({
    fsEvent: () => undefined,
    providerEvent: () => undefined,
    logEvent: () => undefined,
  }),
  ipfilter: ipfilter<object>({ checkIP: () => deny('nobody') }),
  eventsearcher: eventsearcher<object>({
    searchFsEvents: () => [],
    searchProviderEvents: () => [],
    searchLogEvents: () => [],
  }),
  metadata: metadata<object>({
    setModificationTime: () => undefined,
    getModificationTime: () => undefined,
    getModificationTimes: () => ({}),
    removeMetadata: () => undefined,
    getFolders: () => [],
  }),
};

/** A function of one type in this process, reached without a network. */
export interface NearFunction extends Target {
  /** Oldest first. */
  readonly arrivals: readonly Arrival[];
  /** The bodies of the requests as they left the adapter. */
  readonly bodies: readonly string[];
  /** Empties both. */
  forget(): void;
}

/** Runs the function of a type; `plugin` instead of the one that lets nobody in. */
export function nearFunction(
  type: PluginTypeName,
  keys: { readonly adapter: CheapKey; readonly own: CheapKey },
  plugin = plugins[type],
): NearFunction {
  const arrivals: Arrival[] = [];
  const bodies: string[] = [];
  const { definition } = plugin;
  const rpcs = Object.entries(definition.rpcs).map(([name, rpc]): [string, Rpc<object>] => [
    name,
    {
      ...rpc,
      run(input, ...rest) {
        arrivals.push({ rpc: name, input });
        return rpc.run(input, ...rest);
      },
    },
  ]);
  const fetch = createFetch(
    { ...definition, rpcs: Object.fromEntries(rpcs) },
    { crypto: nodeCrypto, signingKey: () => keys.own.signing, verifyingKey: () => keys.adapter.verifying },
  );
  const settings = {
    PLUGIN_FUNCTION: 'office@live',
    PLUGIN_CALLERS: JSON.stringify({ keys: [publicOf(newKey())] }),
    PLUGIN_KEY: JSON.stringify(newKey()),
  };
  return {
    arrivals,
    bodies,
    forget() {
      arrivals.length = 0;
      bodies.length = 0;
    },
    origin: () => 'https://office.example.com',
    async send({ url, headers, body }: HttpMessage) {
      bodies.push(new TextDecoder().decode(body));
      const sent = {
        method: 'POST',
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        body: body as Uint8Array<ArrayBuffer>,
      };
      const answer = await fetch(new Request(url, sent), settings);
      return { status: answer.status, headers: [...answer.headers], body: await answer.bytes() };
    },
    close: async () => undefined,
  };
}
