import type { Duration } from '../../kit/index.ts';

/** What a source hands over. */
export interface Content {
  readonly bytes: Uint8Array;
  /** Names this very content: an ETag. Absent: the SHA-256 of the bytes is used. */
  readonly tag?: string;
}

/**
 * Where a list or a database comes from, one of:
 *
 * - `url`: https; refreshed with If-None-Match.
 * - `kv` and `key`: a KV namespace's binding. With `etag` in the key's metadata, an unchanged value is not read.
 * - `r2` and `key`: an R2 bucket's binding.
 * - `assets` and `path`: the binding of a Worker's static assets.
 * - `file`: a path; on Node and Lambda.
 * - `text` or `bytes`: in the bundle. Checked when it is built, never refreshed.
 * - `read`: a function of yours. It gets the tag of what is held and may answer 'unchanged'.
 */
export type Place =
  | { readonly url: string }
  | { readonly kv: string; readonly key: string }
  | { readonly r2: string; readonly key: string }
  | { readonly assets: string; readonly path: string }
  | { readonly file: string }
  | { readonly text: string }
  | { readonly bytes: Uint8Array | ArrayBuffer }
  | { readonly read: (env: unknown, tag: string | undefined) => Promise<Content | 'unchanged'> };

/** A source, and how often it is looked at. */
export type Source = Place & {
  /** Absent: ten minutes. */
  readonly every?: Duration;
};

/** A list of networks: {@link parseNetworkList} says what may be in it. */
export type ListSource = Source & {
  /** A line that is no network: `refuse` (the default) keeps the last good list, `skip` leaves the line out. */
  readonly onBrokenLine?: 'refuse' | 'skip';
};

/** The keys of each kind of place; the first one tells the kind. */
export const placeKeys: readonly (readonly string[])[] = [
  ['url'],
  ['kv', 'key'],
  ['r2', 'key'],
  ['assets', 'path'],
  ['file'],
  ['text'],
  ['bytes'],
  ['read'],
];
