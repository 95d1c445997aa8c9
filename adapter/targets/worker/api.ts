import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import * as z from 'zod';
import { PluginError } from '../../../proto/error.ts';
import { ControlPlaneError, type ControlPlaneProblem } from '../control-plane.ts';
import { loopbackLookup } from '../https/loopback.ts';
import {
  type DeployedVersion,
  type FoundVersion,
  type FoundWorker,
  foundDeployments,
  foundVersion,
  foundWorker,
} from './found.ts';
import type { CloudflareSettings } from './settings.ts';

/** Longest wait for one answer of the API, in ms. */
const timeoutMs = 5000;
/** A version comes with its modules in base64: a function of ours is 50 kB, Cloudflare takes 64 MiB. */
const maxBytes = 16 * 1024 * 1024;

/** The three questions that the check asks about one Worker. Each throws DRIFT when there is no such thing. */
export interface WorkerApi {
  /** The versions that take the traffic now. */
  deployed(): Promise<readonly DeployedVersion[]>;
  /** One version with its modules. */
  version(id: string): Promise<FoundVersion>;
  /** What belongs to no version. */
  worker(): Promise<FoundWorker>;
}

/**
 * Cloudflare's API, as far as the check needs it: three GETs. Redirects are not followed.
 *
 * Takes the Worker's name, and the function's for messages. Throws DRIFT when there is no such Worker or version,
 * and a ControlPlaneError in one of three messages when the API does not say.
 */
export function workerApi(settings: CloudflareSettings, worker: string, functionName: string): WorkerApi {
  const prefix = `${settings.endpoint}/accounts/${settings.account}/workers`;
  const name = encodeURIComponent(worker);
  const ask = async <T extends z.ZodType>(path: string, schema: T, missing: string): Promise<z.infer<T>> => {
    const { status, body } = await get(`${prefix}${path}`, settings.token()).catch((cause: unknown) => {
      throw failure('unreachable', detailOf(cause), functionName, cause);
    });
    const answer = parse(body);
    const [code = 0] = answer?.errors.map((error) => error.code) ?? [];
    if (status === 404 && !noRoute.has(code)) throw noSuch(missing, functionName);
    if (status === 429) throw failure('throttled', `429, ${code}`, functionName);
    if (status === 401 || status === 403 || (status === 400 && badToken.has(code))) {
      throw failure('forbidden', `${status}, ${code}`, functionName);
    }
    const result = schema.safeParse(answer?.success === true && status === 200 ? answer.result : undefined);
    if (result.success) return result.data;
    const what = status === 200 ? 'an answer of another shape' : `${status}, ${code}`;
    throw failure('unreachable', what, functionName);
  };
  return {
    async deployed() {
      const path = `/scripts/${name}/deployments`;
      const { deployments } = await ask(path, foundDeployments, `Worker ${worker}`);
      const [active] = deployments;
      if (active === undefined) throw noSuch(`deployment of the Worker ${worker}`, functionName);
      return active.versions;
    },
    async version(id) {
      const path = `/workers/${name}/versions/${encodeURIComponent(id)}?include=modules`;
      const version = await ask(path, foundVersion, `version ${id} of the Worker ${worker}`);
      // an endpoint that shows another version would prove the wrong one
      if (version.id === id && version.modules !== undefined) return version;
      throw failure('unreachable', 'an answer without the version or its modules', functionName);
    },
    async worker() {
      return await ask(`/workers/${name}`, foundWorker, `Worker ${worker}`);
    },
  };
}

/** "Could not route to …, perhaps your object identifier is invalid?": a wrong account or endpoint, not a lost Worker. */
const noRoute: ReadonlySet<number> = new Set([7000, 7003]);
/** "Invalid request headers" and its like, which come with status 400. */
const badToken: ReadonlySet<number> = new Set([6003, 6111, 9106, 9109]);

const envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number() })),
  result: z.unknown().optional(),
});

function parse(body: string): z.infer<typeof envelope> | undefined {
  try {
    return envelope.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

type RequestFunction = (url: URL, options: RequestOptions) => ClientRequest;

async function get(address: string, token: string): Promise<{ status: number; body: string }> {
  const url = new URL(address);
  const secure = url.protocol === 'https:';
  const { request }: { request: RequestFunction } = await (secure
    ? import('node:https')
    : import('node:http'));
  const signal = AbortSignal.timeout(timeoutMs);
  const options = {
    signal,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'accept-encoding': 'identity' },
    ...(secure ? { minVersion: 'TLSv1.2' as const } : { lookup: loopbackLookup }),
  };
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, options);
    outgoing.on('error', reject);
    // Node ends a request that is answered 101 without an error: only `close` tells
    const closed = () => reject(new Error('closed'));
    outgoing.on('close', closed);
    outgoing.on('response', (incoming) => {
      outgoing.off('close', closed);
      read(incoming).then((body) => resolve({ status: incoming.statusCode ?? 0, body }), reject);
    });
    outgoing.end();
  });
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > maxBytes) throw Object.assign(new Error('too long'), { code: `over ${maxBytes} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString('utf8');
}

function detailOf(cause: unknown): string {
  const { code, name } = Object(cause) as { code?: unknown; name?: unknown };
  const word = name === 'AbortError' || name === 'TimeoutError' ? `no answer in ${timeoutMs} ms` : code;
  return typeof word === 'string' && /^[\w. ]{1,80}$/.test(word) ? word : 'unknown error';
}

const remedies: Readonly<Record<ControlPlaneProblem, string>> = {
  unreachable:
    'Check network, DNS, `cloudflare.endpoint` and `cloudflare.account`; it is asked again by itself.',
  throttled:
    'It is asked again by itself; look for what else calls this API: a user has 1200 requests in 5 minutes.',
  forbidden:
    'Put a valid token into `cloudflare.tokenFile` that may read Workers Scripts of this account: docs/worker.md.',
};

function failure(
  problem: ControlPlaneProblem,
  detail: string,
  functionName: string,
  cause?: unknown,
): ControlPlaneError {
  return new ControlPlaneError(problem, {
    platform: 'Cloudflare',
    api: "Cloudflare's API",
    detail,
    effect: `so what is deployed of ${functionName} was not compared with the lock`,
    expected: 'an answer after each start and every `cloudflare.watch`',
    remedies,
    cause,
  });
}

function noSuch(what: string, functionName: string): PluginError {
  return new PluginError('DRIFT', {
    happened: `Cloudflare has no ${what}, which ${functionName} is in the lock`,
    expected: 'what the lock says is deployed',
    remedy: 'Deploy it again and take the lock of that deployment, or correct `cloudflare.account`.',
  });
}
