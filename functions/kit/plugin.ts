import type { MethodTable } from '../../proto/codec.ts';
import type { ConnectCode } from '../../proto/codes.ts';
import type { KeyRing } from '../../proto/signature/port.ts';
import type { Context, WaitUntil } from './context.ts';
import type { Settings } from './settings.ts';

/** What came of one RPC, before it is encoded and signed. */
export interface Outcome {
  /** The answer's message; absent where `refusal` is set. */
  readonly output?: object;
  /** A Connect error instead of a message. `permission_denied` is the verdict "no". */
  readonly refusal?: { readonly code: ConnectCode; readonly message: string };
  /** The signed plugin-* headers of the answer, besides those that every answer has. */
  readonly facts?: Readonly<Record<`plugin-${string}`, string>>;
}

/** The plugin-* headers of a request by name, all of them covered by its verified signature. */
export type SignedHeaders = ReadonlyMap<string, string>;

/** Whose key signed a call. */
export interface Caller {
  /** Thumbprint of the key. */
  readonly keyid: string;
  /** Is it listed in PLUGIN_CALLERS? */
  readonly adapter: boolean;
  /** Is it listed in PLUGIN_REPORTERS? */
  readonly reporter: boolean;
}

/** One RPC of a plugin: its tables, and the author's code behind a function that decodes nothing. */
export interface Rpc<Env> {
  readonly table: MethodTable;
  /** `secret`: the function's private key in base64url, to derive other keys from. */
  run(
    input: never,
    context: Context<Env>,
    signed: SignedHeaders,
    secret: string,
    caller: Caller,
  ): Promise<Outcome>;
}

/** A service that a plugin answers beside the one of its type, for callers of its own. */
export interface FurtherService<Env> {
  /** By RPC name. */
  readonly rpcs: Readonly<Record<string, Rpc<Env>>>;
  /** The keys whose calls of this service are taken at all. What each of them may do is for the RPCs to say. */
  callers(settings: Settings): KeyRing;
}

/** A plugin as its type describes it; the entries (Workers, Node) make it reachable. */
export interface PluginDefinition<Env> {
  /** `ipfilter`, `auth`, … */
  readonly type: string;
  /** `proto.IPFilter`, … */
  readonly service: string;
  /** Larger requests are refused before anything else is looked at. */
  readonly maxRequestBytes: number;
  /** By RPC name: `CheckIP`. */
  readonly rpcs: Readonly<Record<string, Rpc<Env>>>;
  /** By full name: `sftpgo.Bans`. */
  readonly further?: Readonly<Record<string, FurtherService<Env>>>;
}

/** A plugin: what an author's module exports by default. Its `fetch` is all that Cloudflare Workers need. */
export interface Plugin<Env = unknown> {
  /** `ipfilter`, `auth`, … */
  readonly type: string;
  readonly definition: PluginDefinition<Env>;
  /**
   * The RPCs it answers, by name, sorted; those of further services with their service, `sftpgo.Bans/Add`. The
   * lock and `host-config` are made from it.
   */
  readonly handles: readonly string[];
  /** Answers one signed call. Never throws. */
  fetch(request: Request, env: Env, platform?: WaitUntil): Promise<Response>;
}
