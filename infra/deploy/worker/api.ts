import * as z from 'zod';
import {
  type DeployedVersion,
  type FoundVersion,
  type FoundWorker,
  foundDeployments,
  foundVersion,
  foundWorker,
} from '../../../adapter/targets/worker/found.ts';
import { PluginError } from '../../../proto/error.ts';
import { deployUnreachable, problemOfAnswer } from './failure.ts';

/** What deploying reads of Cloudflare's API (https://developers.cloudflare.com/api/resources/workers/). */
export interface WorkersApi {
  /** What belongs to a Worker; undefined when there is none of that name. */
  worker(name: string): Promise<FoundWorker | undefined>;
  /** Ids of its ten newest versions, the newest first; empty without such a Worker. */
  newestVersions(name: string): Promise<readonly string[]>;
  /** One version with its modules; undefined when it is not there. */
  version(name: string, id: string): Promise<FoundVersion | undefined>;
  /** Which versions get calls, with their share in percent; empty without such a Worker or deployment. */
  deployed(name: string): Promise<readonly DeployedVersion[]>;
  /** `example` of `office.example.workers.dev`; undefined when the account has none. */
  subdomain(): Promise<string | undefined>;
  /** Asks for events that Workers wrote, for `logs`. Takes the body of a query; returns `result` as it came. */
  queryTelemetry(body: object): Promise<unknown>;
}

/** Who asks. */
export interface ApiAccess {
  readonly account: string;
  readonly token: string;
  /** Without a trailing slash: `https://api.cloudflare.com/client/v4`. */
  readonly baseUrl: string;
}

const timeoutMs = 30_000;
/** A Worker's modules in base64, and room. */
const maxBytes = 32 * 1024 * 1024;

const envelope = z.object({
  result: z.unknown(),
  errors: z.array(z.object({ code: z.number().optional(), message: z.string().optional() })).nullish(),
});
const versionList = z.object({ items: z.array(z.object({ id: z.string() })) });
const subdomainResult = z.object({ subdomain: z.string().nullish() });

/**
 * Where the API is and who asks: CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_BASE_URL, as wrangler
 * reads them.
 *
 * @throws PluginError CONFIG_INVALID without token or account
 */
export function apiAccess(environment: NodeJS.ProcessEnv, accountOfConfig?: string): ApiAccess {
  const token = environment['CLOUDFLARE_API_TOKEN'];
  const account = environment['CLOUDFLARE_ACCOUNT_ID'] || accountOfConfig;
  if (!token || !account) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `there is no ${token ? 'CLOUDFLARE_ACCOUNT_ID' : 'CLOUDFLARE_API_TOKEN'} in the environment`,
      expected: 'an API token that may edit Workers Scripts, and the account id that it is for',
      remedy: 'Make the token in the dashboard (My Profile, API Tokens) and export both: docs/deploy.md.',
    });
  }
  if (!/^[\w-]+$/.test(account)) {
    throw new PluginError('CONFIG_INVALID', {
      happened: 'CLOUDFLARE_ACCOUNT_ID is no account id',
      expected: '32 hexadecimal digits, from the overview of the account in the dashboard',
      remedy: 'Correct it.',
    });
  }
  const baseUrl = environment['CLOUDFLARE_API_BASE_URL'] || 'https://api.cloudflare.com/client/v4';
  return { account, token, baseUrl: baseUrl.replace(/\/+$/, '') };
}

/**
 * The API for one account.
 *
 * Everything throws UNREACHABLE (three messages), and INPUT_INVALID for an answer in another shape.
 */
export function workersApi(access: ApiAccess): WorkersApi {
  const root = `${access.baseUrl}/accounts/${access.account}/workers`;
  const ask = async <T>(path: string, shape: z.ZodType<T>, init?: RequestInit): Promise<T | undefined> => {
    const found = await answered(access.token, `${root}/${path}`, `read ${path}`, init);
    if (found === undefined) return undefined;
    const parsed = shape.safeParse(found.result);
    if (parsed.success) return parsed.data;
    throw unexpected(path, parsed.error.issues[0]?.message ?? 'another shape', parsed.error);
  };
  return {
    worker: (name) => ask(`workers/${name}`, foundWorker),
    newestVersions: async (name) =>
      (await ask(`scripts/${name}/versions?per_page=10`, versionList))?.items
        .slice(0, 10)
        .map(({ id }) => id) ?? [],
    version: (name, id) => ask(`workers/${name}/versions/${id}?include=modules`, foundVersion),
    deployed: async (name) =>
      (await ask(`scripts/${name}/deployments`, foundDeployments))?.deployments[0]?.versions ?? [],
    subdomain: async () => (await ask('subdomain', subdomainResult))?.subdomain ?? undefined,
    queryTelemetry: (body) =>
      ask('observability/telemetry/query', z.unknown(), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

/** "Could not route to …": a wrong account or address, not a Worker that is not there. */
const noRoute: ReadonlySet<number> = new Set([7000, 7003]);

/** The answer's envelope; undefined when what was asked for is not there. */
async function answered(token: string, url: string, purpose: string, init: RequestInit = {}) {
  let status: number;
  let text: string;
  try {
    const answer = await fetch(url, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = answer.status;
    text = await limited(answer);
  } catch (cause) {
    const code = Object(Object(cause).cause).code ?? Object(cause).name;
    throw deployUnreachable(
      'unreachable',
      /^\w+$/.test(String(code)) ? String(code) : 'fetch failed',
      purpose,
      cause,
    );
  }
  const said = envelope.safeParse(parsed(text));
  const codes = said.data?.errors?.flatMap(({ code }) => code ?? []) ?? [];
  if (status === 404 && !codes.some((code) => noRoute.has(code))) return undefined;
  const problem = problemOfAnswer(status, codes);
  if (problem !== undefined) throw deployUnreachable(problem, [status, ...codes].join(', '), purpose);
  if (status >= 500) throw deployUnreachable('unreachable', String(status), purpose);
  if (status === 200 && said.success) return said.data;
  throw unexpected(purpose, [status, ...codes].join(', '), said.error);
}

async function limited(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new RangeError('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unexpected(what: string, found: string, cause: unknown): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened: `the Cloudflare API answered in an unknown way (${what}: ${found})`,
    expected: 'an answer as its documentation has it',
    remedy:
      'Check CLOUDFLARE_API_BASE_URL and CLOUDFLARE_ACCOUNT_ID; then look for a newer release of this package.',
    cause,
  });
}
