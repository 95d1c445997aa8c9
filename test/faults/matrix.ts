import type { ErrorCode } from '../../proto/error.ts';
import { grpcOfError } from '../../proto/grpc-of-error.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';

/** A plugin type, and ipfilter a second time for who chose to let everybody in while the function is away. */
export type Column = PluginTypeName | 'ipfilterOpen';

/** How a call ends: with an answer, or an error of this code. */
export type Ending = 'answered' | Exclude<ErrorCode, 'FUNCTION_ERROR'> | 'FUNCTION_ERROR 13';

/**
 * What runs a row: the function behind HTTPS, the same with sections that wait for longer, on Lambda, in the adapter's
 * own thread, or the host's files.
 */
export type Ground = 'https' | 'patient' | 'lambda' | 'local' | 'files' | 'start';

/** One row: what happens, and how a call of each type ends meanwhile. */
export interface FaultEvent {
  readonly ground: Ground;
  readonly title: string;
  readonly ends: Readonly<Record<Column, Ending>>;
}

/** In the order of the table. */
export const columns: Readonly<Record<Column, { readonly title: string; readonly failure: string }>> = {
  auth: { title: 'auth', failure: 'deny' },
  kms: { title: 'kms', failure: 'error' },
  ipfilter: { title: 'ipfilter', failure: 'deny' },
  ipfilterOpen: { title: 'ipfilter, `onUnavailable: allow`', failure: 'deny' },
  notifier: { title: 'notifier', failure: 'SFTPGo queues' },
  eventsearcher: { title: 'eventsearcher', failure: 'error' },
  metadata: { title: 'metadata', failure: 'error' },
};

/** The same ending for all. */
function all(ending: Ending): FaultEvent['ends'] {
  const names = Object.keys(columns) as Column[];
  return Object.fromEntries(names.map((name) => [name, ending])) as Record<Column, Ending>;
}

/** The function decides nothing: here `onUnavailable` does. */
const away = (ending: Ending): FaultEvent['ends'] => ({ ...all(ending), ipfilterOpen: 'answered' });

function event<G extends Ground>(
  ground: G,
  title: string,
  ends: FaultEvent['ends'],
): FaultEvent & { readonly ground: G } {
  return { ground, title, ends };
}

/**
 * The fault matrix: what test/faults makes happen and expects, and what docs/reliability.md shows. The order is the
 * one in which the tests go through it: retries have a budget, so those that need one come first.
 */
export const matrix = {
  resetOnce: event('https', 'one connection is reset in mid call', {
    ...all('answered'),
    auth: 'UNREACHABLE',
  }),
  clockAhead: event('https', "the function's clock is 31 s ahead", all('answered')),
  clockBehind: event('https', "the function's clock is 31 s behind", all('answered')),
  clockFarAhead: event('https', "the function's clock is 10 min ahead", away('CLOCK_SKEW')),
  clockFarBehind: event('https', "the function's clock is 10 min behind", away('CLOCK_SKEW')),
  coldStart: event(
    'patient',
    'a cold start of 8 s: longer than the breaker rests, within the deadline',
    all('answered'),
  ),
  latency: event('https', 'latency and jitter', all('answered')),
  reset: event('https', 'the function crashes: every connection is reset in mid call', away('UNREACHABLE')),
  refused: event('https', 'connections are refused: nobody listens', away('UNREACHABLE')),
  turnedAway: event('https', 'connections are taken and reset at once, before TLS', away('UNREACHABLE')),
  halfClose: event('https', 'half-close: the connection ends before the answer', away('UNREACHABLE')),
  blackhole: event('https', 'blackhole: connections are taken, nothing answers', away('DEADLINE')),
  drip: event('https', 'drip: the answer comes a byte at a time', away('DEADLINE')),
  bandwidth: event('https', 'a line of 100 bytes/s', away('DEADLINE')),
  slow: event('https', 'a line of 16 KiB/s', all('answered')),
  wrongBytes: event('https', 'wrong bytes on the line', away('UNREACHABLE')),
  wrongBody: event('https', 'wrong bytes in the answer, below TLS', away('ANSWER_REFUSED')),
  otherAnswer: event('https', 'the answer to another request', away('ANSWER_REFUSED')),
  badGateway: event('https', 'an unsigned 502', away('ANSWER_UNSIGNED')),
  redirect: event('https', 'a redirect, 301', away('ANSWER_UNSIGNED')),
  unauthorized: event('https', 'an unsigned 401', away('UNREACHABLE')),
  tooMany: event('https', 'an unsigned 429: throttled before the function', all('ANSWER_UNSIGNED')),
  gzip: event('https', 'an answer that a gateway compressed', away('ANSWER_REFUSED')),
  truncated: event('https', 'an answer that ends in its middle', away('UNREACHABLE')),
  stranger: event('https', 'a certificate that nobody trusts', away('UNREACHABLE')),
  expired: event('https', 'a certificate that has expired', away('UNREACHABLE')),
  otherName: event('https', 'a certificate for another name', away('UNREACHABLE')),
  plainHttp: event('https', 'plain http on the port', away('UNREACHABLE')),
  dns: event('https', 'DNS fails, then heals', away('UNREACHABLE')),
  throttled: event('lambda', 'Lambda throttles: 429 TooManyRequestsException', all('UNREACHABLE')),
  serviceError: event('lambda', "Lambda's API answers 500", away('UNREACHABLE')),
  apiReset: event('lambda', "the connection to Lambda's API is reset", away('UNREACHABLE')),
  apiSilent: event('lambda', "Lambda's API does not answer", away('DEADLINE')),
  lambdaCrash: event('lambda', 'the function crashes: FunctionError, Runtime.ExitError', away('UNREACHABLE')),
  lambdaMemory: event('lambda', 'memory exhaustion: FunctionError, Runtime.OutOfMemory', away('UNREACHABLE')),
  lambdaTimeout: event('lambda', "the function runs into Lambda's own timeout", away('DEADLINE')),
  planeReset: event('lambda', 'control plane: GetFunctionConfiguration cannot be reached', all('answered')),
  planeThrottled: event('lambda', 'control plane: GetFunctionConfiguration is throttled', all('answered')),
  planeForbidden: event('lambda', 'control plane: GetFunctionConfiguration is forbidden', all('answered')),
  otherVersion: event('lambda', 'Lambda runs another version than asked for', all('DRIFT')),
  localThrow: event('local', 'a local function throws', away('FUNCTION_ERROR 13')),
  localExit: event('local', 'a local function ends its thread', away('UNREACHABLE')),
  localMemory: event('local', 'memory exhaustion of a local function', away('UNREACHABLE')),
  localLoop: event('local', 'a local function loops for ever', away('DEADLINE')),
  noConfig: event('start', 'at start: no configuration', all('CONFIG_INVALID')),
  exposedKey: event('start', 'at start: a key that others can read', all('KEY_FILE_EXPOSED')),
  badKey: event('start', 'at start: half of the key file', all('KEY_FILE_INVALID')),
  noLock: event('start', 'at start: no lock', all('LOCK_INVALID')),
  strangersLock: event('start', 'at start: a lock sealed by a stranger', all('LOCK_INVALID')),
  fullDisk: event('start', 'at start: the disk of the state folder is full', all('CONFIG_INVALID')),
  configCut: event('files', 'while running: configuration truncated', all('answered')),
  configGone: event('files', 'while running: configuration removed', all('answered')),
  configWrong: event('files', 'while running: configuration replaced by one with a mistake', all('answered')),
  lockCut: event('files', 'while running: lock truncated', all('answered')),
  lockGone: event('files', 'while running: lock removed', all('answered')),
  lockOld: event('files', 'while running: lock replaced by an older one', all('answered')),
  lockForeign: event('files', "while running: lock replaced by a stranger's", all('answered')),
  keyCut: event('files', 'while running: key truncated', all('answered')),
  keyGone: event('files', 'while running: key removed', all('answered')),
  keyOpen: event('files', 'while running: key readable by others', all('answered')),
  diskFills: event(
    'files',
    'while running: the disk of the state folder is full, and a new lock comes',
    all('answered'),
  ),
  keyOther: event(
    'files',
    'while running: key replaced by one that the function does not know',
    away('UNREACHABLE'),
  ),
} as const satisfies Readonly<Record<string, FaultEvent>>;

/** Names of the rows that a ground runs. */
export type EventsOn<G extends Ground> = {
  [E in keyof typeof matrix]: (typeof matrix)[E]['ground'] extends G ? E : never;
}[keyof typeof matrix];

/** `UNREACHABLE 14`: what a call rejects with. */
export function statusOf(ending: Ending): string {
  if (ending === 'answered' || ending === 'FUNCTION_ERROR 13') return ending;
  return `${ending} ${grpcOfError[ending]}`;
}

/** What ipfilter does where the function decides nothing; the files of a row may have emptied its memory. */
function ofFilter({ ground, ends }: FaultEvent, verdict: 'deny' | 'allow'): string {
  if (ground === 'start' || ground === 'files') return verdict;
  return `${ends.ipfilter === 'DRIFT' ? 'fresh memory' : 'memory'}, else ${verdict}`;
}

function cell(column: Column, event: FaultEvent): string {
  const isFilter = column === 'ipfilter' || column === 'ipfilterOpen';
  const ending = event.ends[column];
  if (ending === 'answered') {
    return isFilter && event.ends.ipfilter !== 'answered' ? ofFilter(event, 'allow') : 'answered';
  }
  const does = isFilter ? ofFilter(event, 'deny') : columns[column].failure;
  return `${does}: ${statusOf(ending)}`;
}

/** The matrix as Markdown. */
export function matrixTable(): string {
  const names = Object.keys(columns) as Column[];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    row(['event', ...names.map((name) => columns[name].title)]),
    row(['---', ...names.map(() => '---')]),
    ...Object.values(matrix).map((event) => row([event.title, ...names.map((name) => cell(name, event))])),
  ].join('\n');
}
