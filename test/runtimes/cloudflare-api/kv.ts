import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { type EdgeStore, startEdgeStore } from '../../support/edge-store.ts';
import { apiErrors } from './envelope.ts';

/** A value that is put, as it came. */
export interface PutRequest {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The KV namespaces of an account. What is put into one is there at once, for every Worker that is bound to it. */
export class Namespaces {
  readonly #stores = new Map<string, EdgeStore>();

  /** Makes one; returns what the API shows of it. */
  async create(title: string): Promise<object> {
    const id = randomBytes(16).toString('hex');
    this.#stores.set(id, await startEdgeStore());
    return { id, title, supports_url_encoding: true };
  }

  /** Port of 127.0.0.1 where workerd reads a namespace; undefined: there is no such one. */
  portOf(id: unknown): number | undefined {
    return typeof id === 'string' ? this.#stores.get(id)?.port : undefined;
  }

  /**
   * Puts a value: the body itself, or a form with `value` and `metadata`
   * (https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/subresources/values/methods/update/).
   */
  async put(id: string, key: string, { contentType, body }: PutRequest): Promise<void> {
    const store = this.#stores.get(id);
    if (store === undefined) throw apiErrors.noNamespace();
    if (!contentType.startsWith('multipart/form-data')) return store.put(key, body);
    const headers = { 'content-type': contentType };
    const form = await new Response(body as Uint8Array<ArrayBuffer>, { headers }).formData();
    const value = form.get('value');
    const bytes = value instanceof File ? new Uint8Array(await value.arrayBuffer()) : String(value);
    const metadata = z.string().nullable().parse(form.get('metadata'));
    store.put(key, bytes, metadata === null ? undefined : JSON.parse(metadata));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stores.values()].map((store) => store.close()));
  }
}
