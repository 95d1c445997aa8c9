import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { FoundVersion } from '../../../adapter/targets/worker/found.ts';
import { PluginError } from '../../../proto/error.ts';
import type { WorkerSettings } from './settings.ts';
import { runWrangler, type Wrangler } from './wrangler.ts';

/** Variables that `deploy` sets, by name. No secret is among them. */
export type Variables = Readonly<Record<string, string>>;

/** What goes to wrangler with every upload. */
export interface UploadPlan {
  readonly settings: WorkerSettings;
  /** Absolute path of the built bundle. */
  readonly bundle: string;
  readonly variables: Variables;
}

const metadata = z.looseObject({
  main_module: z.string(),
  bindings: z.array(z.looseObject({ name: z.string(), type: z.string() })),
  compatibility_date: z.string().optional(),
  compatibility_flags: z.array(z.string()).optional(),
});

/** The arguments of an upload: the bundle as it is, and our variables over those of the configuration. */
export function uploadArguments({ settings, bundle, variables }: UploadPlan): string[] {
  return [
    bundle,
    ...configArguments(settings),
    '--no-bundle',
    ...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]),
  ];
}

/** Which configuration, and which of its environments. */
export function configArguments({ file, env }: WorkerSettings): string[] {
  return ['--config', file, ...(env === undefined ? [] : ['--env', env])];
}

/**
 * What wrangler would upload, by its own dry run, as Cloudflare should say it of the version afterwards. Nothing is
 * sent. A binding that is inherited is a secret.
 */
export async function expectedVersion(
  wrangler: Wrangler,
  plan: UploadPlan,
  environment: NodeJS.ProcessEnv,
  folder: string,
): Promise<FoundVersion> {
  const desk = await mkdtemp(join(tmpdir(), 'sftpgo-plugin-form-'));
  try {
    const file = join(desk, 'form');
    await runWrangler(wrangler, {
      args: ['versions', 'upload', ...uploadArguments(plan), '--dry-run', '--outfile', file],
      folder,
      environment,
      purpose: `prepare Worker ${plan.settings.name}`,
    });
    return await parseForm(await readFile(file));
  } finally {
    await rm(desk, { recursive: true, force: true });
  }
}

/** Reads the multipart form of an upload (RFC 7578): its metadata, and a part for each module. */
export async function parseForm(bytes: Uint8Array): Promise<FoundVersion> {
  const [, boundary = ''] =
    /^--([^\r\n]+)\r\n/.exec(Buffer.from(bytes.subarray(0, 200)).toString('latin1')) ?? [];
  const type = `multipart/form-data; boundary=${boundary}`;
  const form = await new Response(Buffer.from(bytes), { headers: { 'content-type': type } })
    .formData()
    .catch((cause: unknown) => {
      throw unknownForm('it is no form', cause);
    });
  const said = metadata.safeParse(JSON.parse(String(form.get('metadata'))));
  if (!said.success) throw unknownForm('its metadata has another shape', said.error);
  const { bindings, main_module, compatibility_date, compatibility_flags } = said.data;
  const modules: NonNullable<FoundVersion['modules']> = [];
  for (const [name, part] of form) {
    if (typeof part === 'string') continue;
    const content = Buffer.from(await part.arrayBuffer()).toString('base64');
    modules.push({ name, content_type: part.type, content_base64: content });
  }
  return {
    id: '',
    main_module,
    ...(compatibility_date === undefined ? {} : { compatibility_date }),
    compatibility_flags: compatibility_flags ?? [],
    bindings: bindings.map((binding) =>
      binding.type === 'inherit' ? { name: binding.name, type: 'secret_text' } : binding,
    ),
    modules,
  };
}

function unknownForm(what: string, cause: unknown): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `what wrangler would upload cannot be read: ${what}`,
    expected: 'the form of wrangler 4',
    remedy: 'Install wrangler 4.164.0, the release that this package was tested with.',
    cause,
  });
}
