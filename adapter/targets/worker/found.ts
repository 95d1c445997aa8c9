import * as z from 'zod';

/** A list by name: of two of one name nobody could say which one counts. */
function namedOnce<T extends { readonly name: string }>(item: z.ZodType<T>) {
  return z
    .array(item)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'expected each name once');
}

/**
 * The parts that are looked at of what Cloudflare's API says
 * (https://developers.cloudflare.com/api/resources/workers/): everything else is ignored, so that a new field of
 * theirs is no failure of ours.
 */
export const foundVersion = z.object({
  id: z.string(),
  main_module: z.string().optional(),
  compatibility_date: z.string().optional(),
  compatibility_flags: z.array(z.string()).optional(),
  /** Its other fields say what it is bound to, and differ from type to type. */
  bindings: namedOnce(z.looseObject({ name: z.string(), type: z.string() })).optional(),
  /** Only with `include=modules`. */
  modules: namedOnce(
    z.object({ name: z.string(), content_type: z.string(), content_base64: z.string() }),
  ).optional(),
  containers: z.array(z.looseObject({})).optional(),
});

/** What belongs to a Worker and not to one of its versions. */
export const foundWorker = z.object({
  name: z.string(),
  tail_consumers: z.array(z.object({ name: z.string() })).nullish(),
  streaming_tail_consumers: z.array(z.object({ name: z.string() })).nullish(),
});

/** The first one takes the traffic: one or two versions, each with its share. */
export const foundDeployments = z.object({
  deployments: z.array(
    z.object({ versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })).min(1) }),
  ),
});

export type FoundVersion = z.infer<typeof foundVersion>;
export type FoundWorker = z.infer<typeof foundWorker>;
/** One version of the active deployment, with its share of the traffic in percent. */
export type DeployedVersion = z.infer<typeof foundDeployments>['deployments'][number]['versions'][number];
