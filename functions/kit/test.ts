import type { Plugin } from './plugin.ts';
import { type AuthCalls, authCalls } from './test-calls/auth.ts';
import { type EventsearcherCalls, eventsearcherCalls } from './test-calls/eventsearcher.ts';
import { type IPFilterCalls, ipfilterCalls } from './test-calls/ipfilter.ts';
import { type KMSCalls, kmsCalls } from './test-calls/kms.ts';
import { type MetadataCalls, metadataCalls } from './test-calls/metadata.ts';
import { type NotifierCalls, notifierCalls } from './test-calls/notifier.ts';
import { type CallOptions, type Run, runner } from './test-calls/run.ts';

export type { AuthCalls, CheckedLogin, CheckedStep } from './test-calls/auth.ts';
export type { EventsearcherCalls } from './test-calls/eventsearcher.ts';
export type { CheckedIP, IPFilterCalls } from './test-calls/ipfilter.ts';
export type { KMSCalls } from './test-calls/kms.ts';
export type { MetadataCalls } from './test-calls/metadata.ts';
export type { NotifierCalls } from './test-calls/notifier.ts';
export type { CallOptions } from './test-calls/run.ts';

/** The RPCs of each type of plugin, as {@link call} offers them. */
export interface CallsOf {
  readonly auth: AuthCalls;
  readonly ipfilter: IPFilterCalls;
  readonly kms: KMSCalls;
  readonly notifier: NotifierCalls;
  readonly metadata: MetadataCalls;
  readonly eventsearcher: EventsearcherCalls;
}

const callsOf: { readonly [T in keyof CallsOf]: (run: Run) => CallsOf[T] } = {
  auth: authCalls,
  ipfilter: ipfilterCalls,
  kms: kmsCalls,
  notifier: notifierCalls,
  metadata: metadataCalls,
  eventsearcher: eventsearcherCalls,
};

/**
 * Calls a plugin as the adapter would, without keys, servers or a network: for the author's own tests.
 *
 * ```ts
 * import { call } from 'sftpgo-plugin-serverless/kit/test';
 * import office from './office.ts';
 *
 * const { allowed } = await call(office).checkIP({ ip: '203.0.113.9', protocol: 'SSH' });
 * ```
 */
export function call<T extends keyof CallsOf, Env>(
  plugin: Plugin<Env> & { readonly type: T },
  options: CallOptions<Env> = {},
): CallsOf[T] {
  return callsOf[plugin.type](runner(plugin, options));
}
