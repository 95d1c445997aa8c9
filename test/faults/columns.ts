import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMessage, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import type { PluginClient } from '../../adapter/goplugin/host/launch.ts';
import type { Plugin } from '../../functions/kit/index.ts';
import { Auth } from '../../proto/gen/sftpgo/auth_pb.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { KMS } from '../../proto/gen/sftpgo/kms_pb.ts';
import { Metadata } from '../../proto/gen/sftpgo/metadata_pb.ts';
import { Notifier } from '../../proto/gen/sftpgo/notifier_pb.ts';
import { Searcher } from '../../proto/gen/sftpgo/searcher_pb.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import { addresses, type Word } from './functions/addresses.ts';
import authPlugin from './functions/auth.ts';
import eventsearcherPlugin from './functions/eventsearcher.ts';
import ipfilterPlugin from './functions/ipfilter.ts';
import kmsPlugin from './functions/kms.ts';
import metadataPlugin from './functions/metadata.ts';
import notifierPlugin from './functions/notifier.ts';
import { type Column, columns } from './matrix.ts';

/** How one column is served and asked. */
export interface ColumnCase {
  readonly type: PluginTypeName;
  readonly plugin: Plugin<object>;
  /** File of the plugin, to be bundled. */
  readonly entry: string;
  /** What its section has beside `use` and `timeout`. */
  readonly section: string;
  /** One call of the host that nothing answers but the function. */
  ask(adapter: PluginClient, word?: Word): Promise<unknown>;
}

/** The host's own deadline: every call must be answered before. */
const timeoutMs = 20_000;

/** A user as SFTPGo keeps it. */
export const record =
  '{"id":7,"username":"bob","status":1,"home_dir":"/srv/bob","permissions":{"/":["list"]}}';

const entryOf = (type: PluginTypeName) => `${import.meta.dirname}/functions/${type}.ts`;

function columnCase<I extends DescMessage, O extends DescMessage>(
  plugin: Plugin<object>,
  type: PluginTypeName,
  method: DescMethodUnary<I, O>,
  input: (word: Word) => MessageInitShape<I>,
  section = '',
): ColumnCase {
  const ask: ColumnCase['ask'] = (adapter, word = '') => adapter.call(method, input(word), { timeoutMs });
  return { type, plugin, entry: entryOf(type), section, ask };
}

const unseen = addresses();
const question = (word: Word) => ({ ip: unseen('once', word), protocol: 'HTTP' });

/** By column of the matrix. */
export const columnCases: Readonly<Record<Column, ColumnCase>> = {
  auth: columnCase(authPlugin, 'auth', Auth.method.checkUserAndPass, (word) => ({
    username: 'bob',
    password: word,
    ip: '192.0.2.1',
    protocol: 'SSH',
    user: Buffer.from(record),
  })),
  kms: columnCase(kmsPlugin, 'kms', KMS.method.decrypt, (word) => ({
    payload: btoa(word === '' ? 'a secret' : word),
    url: 'awskms://alias/sftpgo',
  })),
  ipfilter: columnCase(ipfilterPlugin, 'ipfilter', IPFilter.method.checkIP, question),
  ipfilterOpen: columnCase(
    ipfilterPlugin,
    'ipfilter',
    IPFilter.method.checkIP,
    question,
    'onUnavailable: allow',
  ),
  notifier: columnCase(
    notifierPlugin,
    'notifier',
    Notifier.method.sendFsEvent,
    (word) => ({ timestamp: process.hrtime.bigint(), username: word, action: 'upload', fsPath: '/a' }),
    'instance: node1',
  ),
  eventsearcher: columnCase(eventsearcherPlugin, 'eventsearcher', Searcher.method.searchFsEvents, (word) => ({
    limit: 10,
    fsProvider: -1,
    username: word,
  })),
  metadata: columnCase(metadataPlugin, 'metadata', Metadata.method.getModificationTime, (word) => ({
    storageId: 's3://team',
    objectPath: `/${word}`,
  })),
};

/** All columns, in the order of the table. */
export const columnNames = Object.keys(columns) as readonly Column[];

/** Verdicts that an ipfilter was told and keeps. */
export interface Kept {
  /** CheckIP about an address whose verdict still holds. */
  fresh(): Promise<unknown>;
  /** About one whose verdict has expired: waits until it has. */
  stale(): Promise<unknown>;
  /** How both calls end while memory answers. */
  readonly ending: 'answered' | 'DENIED';
}

/** The least that an ipfilter keeps a verdict: as long as `stale…` addresses have, and some. */
const staleAfterMs = 1100;

/**
 * Lets an ipfilter learn two verdicts: allows where it denies what it does not know, and denials where it allows that,
 * so that memory alone gives them while the function is away.
 */
export async function learn(adapter: PluginClient, column: Column, word: Word = ''): Promise<Kept> {
  const open = column === 'ipfilterOpen';
  const fresh = unseen(open ? 'freshDeny' : 'freshAllow', word);
  const stale = unseen(open ? 'staleDeny' : 'staleAllow', word);
  const check = (ip: string, protocol: string) =>
    adapter.call(IPFilter.method.checkIP, { ip, protocol }, { timeoutMs });
  await Promise.allSettled([fresh, stale].map((ip) => check(ip, 'SSH')));
  const staleAt = performance.now() + staleAfterMs;
  return {
    fresh: () => check(fresh, 'HTTP'),
    async stale() {
      await sleep(Math.max(0, staleAt - performance.now()));
      return await check(stale, 'HTTP');
    },
    ending: open ? 'DENIED' : 'answered',
  };
}

/**
 * How a call ended, in the words of the matrix: `answered`, or the adapter's code and the gRPC status. `not in time`
 * is a call that the host gave up on: then the adapter has missed the deadline.
 */
export async function endingOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'answered',
    (error: unknown) => {
      if (!(error instanceof GrpcError)) return String(error);
      const code = /\((\w+), call [0-9a-f]+\)$/.exec(error.message)?.[1];
      return code === undefined
        ? `not in time: ${error.grpcCode} ${error.message}`
        : `${code} ${error.grpcCode}`;
    },
  );
}
