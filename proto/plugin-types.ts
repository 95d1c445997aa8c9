import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { PluginError } from './error.ts';
import { Auth } from './gen/sftpgo/auth_pb.ts';
import { IPFilter } from './gen/sftpgo/ipfilter_pb.ts';
import { KMS } from './gen/sftpgo/kms_pb.ts';
import { Metadata } from './gen/sftpgo/metadata_pb.ts';
import { Notifier } from './gen/sftpgo/notifier_pb.ts';
import { Searcher } from './gen/sftpgo/searcher_pb.ts';

/** How one RPC is to be treated on its way from the host to a function and back. */
export interface CallTraits {
  /** How long the host's SDK waits, in ms; used when the call carries no grpc-timeout. */
  readonly deadlineMs: number;
  /**
   * May it be sent a second time when nobody knows whether the first arrived? `free`: reads, and writes that end
   * the same; `same-id`: yes, the function recognises the call id; `never`: logins.
   */
  readonly repeat: 'free' | 'same-id' | 'never';
  /** A signed permission_denied is the function's decision here, not a failure. */
  readonly verdict?: true;
  /** A signed not_found is an answer that the host understands; for other calls it is a failure like any. */
  readonly notFound?: true;
  /** Fields (names of the .proto file) that are blanked before a call leaves the host. */
  readonly hostOnly?: readonly string[];
  /** The largest request taken from the host, in bytes of its binary form. Larger ones are RESOURCE_EXHAUSTED. */
  readonly maxInputBytes: number;
}

/** One kind of SFTPGo plugin. Paths and messages come from the descriptor. */
export interface PluginType<S extends DescService = DescService> {
  readonly service: S;
  /** The environment variable by which the host says that it starts a plugin of this type. */
  readonly cookie: readonly [name: string, value: string];
  /** SFTPGo releases that have this type, as a semver range. */
  readonly hosts: string;
  /** By the descriptor's lowerCamelCase method name: a forgotten RPC does not compile. */
  readonly calls: { readonly [M in keyof S['method']]: CallTraits };
}

/** SDK's rpcTimeout, the same in every release and type. */
const deadlineMs = 20_000;

/** Addresses, paths and names: the longest path of a file system is 4 KiB, an object key 1 KiB. */
const namesBytes = 64 << 10;

/** Event texts, object metadata (8 KiB on Azure), lists of ids to leave out. */
const listsBytes = 1 << 20;

/** Private keys and service account files take kilobytes; Decrypt gets them back after base64, twice. */
const secretBytes = 4 << 20;

/** A user or another object as JSON: more does not fit a Lambda's request (6 MB) even after minimising. */
const recordBytes = 8 << 20;

const login: CallTraits = { deadlineMs, repeat: 'never', verdict: true, maxInputBytes: recordBytes };

const auth: PluginType<typeof Auth> = {
  service: Auth,
  cookie: ['SFTPGO_PLUGIN_AUTH', 'd1ed507d-d2be-4a38-a460-6fe0b2cc7efc'],
  hosts: '>=2.2.2',
  // each is a verdict: a denied login must not look like an outage in logs, metrics and the breaker
  calls: {
    checkUserAndPass: login,
    checkUserAndTLSCert: login,
    checkUserAndPublicKey: login,
    checkUserAndKeyboardInteractive: login,
    // the answers carry one-time codes that the first arrival burns
    sendKeyboardAuthRequest: login,
  },
};

const kms: PluginType<typeof KMS> = {
  service: KMS,
  cookie: ['SFTPGO_PLUGIN_KMS', '223e3571-7ed2-4b96-b4b3-c7eb87d7ca1d'],
  hosts: '>=2.2.2',
  // a repeated Encrypt makes another ciphertext of the same secret; the host keeps one
  calls: {
    encrypt: {
      deadlineMs,
      repeat: 'free',
      hostOnly: ['additional_data', 'master_key'],
      maxInputBytes: secretBytes,
    },
    // with key and mode the function could open the box that the adapter closed
    decrypt: {
      deadlineMs,
      repeat: 'free',
      hostOnly: ['key', 'additional_data', 'mode', 'master_key'],
      maxInputBytes: secretBytes,
    },
  },
};

const notifier: PluginType<typeof Notifier> = {
  service: Notifier,
  cookie: ['SFTPGO_PLUGIN_NOTIFIER', 'c499b98b-cd59-4df2-92b3-6268817f4d80'],
  hosts: '>=2.2.2',
  calls: {
    sendFsEvent: { deadlineMs, repeat: 'same-id', maxInputBytes: listsBytes },
    sendProviderEvent: { deadlineMs, repeat: 'same-id', maxInputBytes: recordBytes },
    sendLogEvent: { deadlineMs, repeat: 'same-id', maxInputBytes: listsBytes },
  },
};

const ipfilter: PluginType<typeof IPFilter> = {
  service: IPFilter,
  cookie: ['SFTPGO_PLUGIN_IPFILTER', '368dbdab-4839-4bec-b75f-fc74a2d50f24'],
  hosts: '>=2.3.0',
  calls: {
    checkIP: { deadlineMs, repeat: 'free', verdict: true, maxInputBytes: namesBytes },
    reload: { deadlineMs, repeat: 'free', maxInputBytes: namesBytes },
  },
};

const times: CallTraits = { deadlineMs, repeat: 'free', notFound: true, maxInputBytes: namesBytes };

const metadata: PluginType<typeof Metadata> = {
  service: Metadata,
  cookie: ['SFTPGO_PLUGIN_METADATA', '85dddeea-56d8-4d5b-b488-8b125edb3a0f'],
  hosts: '>=2.2.2 <2.6.0',
  // Set replaces and Remove forgets: twice is once, and the host waits for one before it sends the next
  calls: {
    setModificationTime: times,
    getModificationTime: times,
    getModificationTimes: { ...times, deadlineMs: 4 * deadlineMs },
    removeMetadata: times,
    getFolders: times,
  },
};

const eventsearcher: PluginType<typeof Searcher> = {
  service: Searcher,
  cookie: ['SFTPGO_PLUGIN_EVENTSEARCHER', '2b523805-0279-471c-895e-6c0d39002ca4'],
  hosts: '>=2.2.2',
  calls: {
    searchFsEvents: { deadlineMs, repeat: 'free', maxInputBytes: listsBytes },
    searchProviderEvents: { deadlineMs, repeat: 'free', maxInputBytes: listsBytes },
    searchLogEvents: { deadlineMs, repeat: 'free', maxInputBytes: listsBytes },
  },
};

/**
 * The six plugin types by the name that SFTPGo's `plugins[].type` and our own configuration's section share.
 * Adding a type is adding a row here, a folder in adapter/policies and one in functions.
 */
export const pluginTypes = { auth, kms, ipfilter, notifier, eventsearcher, metadata } as const;

/** `auth`, `kms`, `ipfilter`, `notifier`, `eventsearcher` or `metadata`. */
export type PluginTypeName = keyof typeof pluginTypes;

/** Is this text the name of a plugin type? */
export function isPluginTypeName(text: unknown): text is PluginTypeName {
  return typeof text === 'string' && Object.hasOwn(pluginTypes, text);
}

/**
 * The traits of one RPC of a type.
 *
 * @throws PluginError INTERNAL when the type's service has no such RPC
 */
export function traitsOf(type: PluginType, method: DescMethod): CallTraits {
  const traits = type.calls[method.localName];
  if (traits) return traits;
  throw new PluginError('INTERNAL', {
    happened: `${method.parent.typeName}.${method.name} was looked up under ${type.service.typeName}`,
    expected: 'an RPC of that service',
    remedy: 'Look it up under its own plugin type.',
  });
}
