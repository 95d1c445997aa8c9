import * as z from 'zod';
import type { Module, Upload } from './account.ts';
import { apiErrors } from './envelope.ts';

/** https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/ */
const metadata = z.looseObject({
  main_module: z.string(),
  bindings: z.array(z.looseObject({ name: z.string(), type: z.string() })).default([]),
  keep_bindings: z.array(z.string()).default([]),
  compatibility_date: z.string().default('2021-11-02'),
  compatibility_flags: z.array(z.string()).default([]),
  annotations: z.record(z.string(), z.string().optional()).default({}),
  tail_consumers: z.array(z.object({ service: z.string() })).optional(),
  exports: z.unknown().optional(),
  migrations: z.looseObject({ new_tag: z.string().optional() }).optional(),
});

/** Reads the multipart form of an upload: `metadata` and one part for each module. */
export async function parseUpload(contentType: string, body: Uint8Array): Promise<Upload> {
  const form = await new Response(body as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': contentType },
  })
    .formData()
    .catch(() => {
      throw apiErrors.invalid('the body is no multipart form');
    });
  const given = form.get('metadata');
  const text = given instanceof File ? await given.text() : String(given);
  const parsed = metadata.safeParse(JSON.parse(text));
  if (!parsed.success) throw apiErrors.invalid(`metadata: ${parsed.error.issues[0]?.message}`);
  const modules: Module[] = [];
  for (const [name, part] of form) {
    if (name === 'metadata' || !(part instanceof File)) continue;
    modules.push({ name, type: part.type, bytes: new Uint8Array(await part.arrayBuffer()) });
  }
  const { data } = parsed;
  if (!modules.some(({ name }) => name === data.main_module)) {
    throw apiErrors.invalid(`No such module "${data.main_module}".`);
  }
  return {
    mainModule: data.main_module,
    modules,
    bindings: data.bindings,
    keepBindings: data.keep_bindings,
    compatibilityDate: data.compatibility_date,
    compatibilityFlags: data.compatibility_flags,
    annotations: Object.fromEntries(
      Object.entries(data.annotations).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    tailConsumers: data.tail_consumers,
    exports: data.exports,
    migrationTag: data.migrations?.new_tag,
  };
}
