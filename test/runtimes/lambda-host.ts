import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type AwsError, lambdaErrorBody, notFound, throttled } from './lambda-host/aws-error.ts';
import { ensureRic } from './lambda-host/ensure-ric.ts';
import { type Environment, type Invocation, startEnvironment } from './lambda-host/environment.ts';
import {
  configurationOf,
  type FunctionCode,
  type Published,
  publish,
  withdraw,
} from './lambda-host/published.ts';
import { getParameter, ssmError } from './lambda-host/ssm.ts';

export { type AwsError, accessDenied, throttled } from './lambda-host/aws-error.ts';

const region = 'eu-central-1';
const account = '123456789012';
/** Requests above it are refused: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxPayloadBytes = 6_291_456;

/** One request to the host, for {@link LambdaHost.fault} and {@link LambdaHost.calls}. */
export interface HostCall {
  readonly operation: 'Invoke' | 'GetFunctionConfiguration' | 'GetParameter';
  /** Of the function or the parameter. */
  readonly name: string;
  /** As asked; absent: none. */
  readonly qualifier?: string;
  readonly payload: Buffer;
}

/** What a test puts in the place of an answer. `hang` never answers, `reset` closes the connection. */
export type Fault =
  | AwsError
  | 'hang'
  | 'reset'
  | { readonly executedVersion: string }
  | { readonly payload: string; readonly functionError?: string };

export interface LambdaHostOptions {
  /** Absent: AWS's client where it can be compiled. */
  readonly runtime?: 'aws-lambda-ric' | 'node';
  /** Told what takes time. */
  readonly say?: (text: string) => void;
  /** Told what functions write, piece by piece. */
  readonly onOutput?: (text: string) => void;
}

/** AWS Lambda and Parameter Store on loopback, for one account and region. */
export interface LambdaHost {
  readonly url: string;
  readonly region: string;
  /** What runs the zips: AWS's own runtime client, or a loop of ours. */
  readonly runtime: 'aws-lambda-ric' | 'node';
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** SecureStrings of Parameter Store, by name. */
  readonly parameters: Map<string, string>;
  /** What came in, oldest first. */
  readonly calls: readonly HostCall[];
  fault: ((call: HostCall) => Fault | undefined) | undefined;
  arnOf(name: string): string;
  /** Publishes the next version of a function, creating it if need be, and returns its number. */
  publish(name: string, code: FunctionCode): string;
  /** Makes an alias mean a version. */
  alias(name: string, alias: string, version: string): void;
  /** Deletes a function; its versions count from 1 again. */
  remove(name: string): Promise<void>;
  /** The last 64 KiB that functions wrote. */
  output(): string;
  close(): Promise<void>;
}

/**
 * Starts a Lambda service: Invoke and GetFunctionConfiguration by version, alias and `$LATEST`, and GetParameter of
 * SSM, with the answers and errors that AWS documents. Each version's zip is unpacked and run by AWS's own runtime
 * client in a process for each concurrent call.
 *
 * ```ts
 * const host = await startLambdaHost();
 * host.parameters.set('/plugins/office', privateKey);
 * const version = host.publish('office', { zip, env: { PLUGIN_KEY_PARAMETER: '/plugins/office' } });
 * ```
 *
 * Throws TOOL_MISSING when CI=true and the runtime client cannot be compiled.
 */
export async function startLambdaHost(options: LambdaHostOptions = {}): Promise<LambdaHost> {
  const ric = options.runtime === 'node' ? undefined : await ensureRic(options.say);
  const program = ric ?? join(import.meta.dirname, 'lambda-host/node-loop.mjs');
  const functions = new Map<string, { versions: Published[]; aliases: Map<string, string> }>();
  const withdrawn: Promise<void>[] = [];
  const calls: HostCall[] = [];
  const credentials = { accessKeyId: 'AKIALAMBDAHOST', secretAccessKey: randomUUID() };
  let output = '';

  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const arnOf = (name: string) => `arn:aws:lambda:${region}:${account}:function:${name}`;

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const payload = Buffer.concat(chunks);
    const call = callOf(new URL(incoming.url ?? '/', host.url), payload);
    calls.push(call);
    const problem = unsigned(incoming);
    const fault = problem ?? host.fault?.(call);
    if (fault === 'hang') return;
    if (fault === 'reset') {
      incoming.socket.destroy();
      return;
    }
    if (call.operation === 'GetParameter') {
      const error =
        fault && 'status' in fault ? ssmError(fault.status, fault.type, fault.message) : undefined;
      const { status, json } = error ?? getParameter(incoming.headers['x-amz-target'], payload, host);
      outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(json));
      return;
    }
    const outcome = fault && 'status' in fault ? fault : await lambdaApi(call, fault);
    if ('status' in outcome) {
      const type = { 'content-type': 'application/json', 'x-amzn-errortype': outcome.type };
      outgoing.writeHead(outcome.status, type).end(lambdaErrorBody(outcome));
    } else {
      outgoing.writeHead(200, { 'content-type': 'application/json', ...outcome.headers }).end(outcome.body);
    }
  }

  /** Invoke and GetFunctionConfiguration. */
  async function lambdaApi(
    call: HostCall,
    fault: Exclude<Fault, AwsError | string> | undefined,
  ): Promise<AwsError | { headers?: Record<string, string>; body: string | Buffer }> {
    const { operation, name, qualifier, payload } = call;
    if (qualifier !== undefined && !/^(?:\$LATEST|[\w-]{1,128})$/.test(qualifier))
      return badQualifier(qualifier);
    const arn = qualifier === undefined ? arnOf(name) : `${arnOf(name)}:${qualifier}`;
    const published = find(name, qualifier);
    if (published === undefined) return notFound(arn);
    const version = isLatest(qualifier) ? '$LATEST' : published.version;
    if (operation === 'GetFunctionConfiguration') {
      return { body: JSON.stringify(configurationOf({ ...published, version }, arn)) };
    }
    const outcome = await invoke(published, arn, payload, fault);
    if ('status' in outcome) return outcome;
    const executed = fault && 'executedVersion' in fault ? fault.executedVersion : version;
    const { functionError } = outcome;
    return {
      headers: {
        'x-amz-executed-version': executed,
        ...(functionError === undefined ? {} : { 'x-amz-function-error': functionError }),
      },
      body: outcome.payload,
    };
  }

  async function invoke(
    published: Published,
    arn: string,
    payload: Buffer,
    fault: Exclude<Fault, AwsError | string> | undefined,
  ): Promise<AwsError | { functionError?: string; payload: Buffer }> {
    if (payload.byteLength > maxPayloadBytes) {
      const message = `Request must be smaller than ${maxPayloadBytes} bytes for the InvokeFunction operation`;
      return { status: 413, type: 'RequestTooLargeException', message };
    }
    try {
      JSON.parse(payload.toString());
    } catch {
      const message = 'Could not parse request body into json';
      return { status: 400, type: 'InvalidRequestContentException', message };
    }
    if (fault && 'payload' in fault) return { ...fault, payload: Buffer.from(fault.payload) };
    if (published.busy.size >= published.maxConcurrency) return throttled;
    const environment = published.idle.pop() ?? (await start(published));
    published.busy.add(environment);
    const timeoutMs = published.timeoutS * 1000;
    const outcome: Invocation = await environment.invoke({ id: randomUUID(), arn, payload, timeoutMs });
    published.busy.delete(environment);
    if (environment.alive) published.idle.push(environment);
    return outcome;
  }

  function start({ name, version, handler, taskRoot, env }: Published): Promise<Environment> {
    return startEnvironment({
      args: ric === undefined ? [program] : [program, handler],
      taskRoot,
      env: {
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_ENDPOINT_URL_SSM: host.url,
        ...env,
        _HANDLER: handler,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: version,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: `2026/01/01/[${version}]${randomUUID().replaceAll('-', '')}`,
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: 'session',
        PATH: '/usr/local/bin:/usr/bin:/bin',
        TZ: ':UTC',
        LANG: 'en_US.UTF-8',
      },
      onOutput(text) {
        output = (output + text).slice(-65_536);
        options.onOutput?.(text);
      },
    });
  }

  function find(name: string, qualifier: string | undefined): Published | undefined {
    const { versions = [], aliases } = functions.get(name) ?? {};
    if (isLatest(qualifier)) return versions.at(-1);
    const version = aliases?.get(qualifier ?? '') ?? qualifier;
    return versions.find((published) => published.version === version);
  }

  const host: LambdaHost = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region,
    runtime: ric === undefined ? 'node' : 'aws-lambda-ric',
    credentials,
    parameters: new Map(),
    calls,
    fault: undefined,
    arnOf,
    publish(name, code) {
      const known = functions.get(name) ?? { versions: [], aliases: new Map<string, string>() };
      functions.set(name, known);
      const version = String(known.versions.length + 1);
      known.versions.push(publish(name, version, code));
      return version;
    },
    alias(name, alias, version) {
      functions.get(name)?.aliases.set(alias, version);
    },
    async remove(name) {
      const { versions = [] } = functions.get(name) ?? {};
      functions.delete(name);
      const done = Promise.all(versions.map(withdraw)).then(() => undefined);
      withdrawn.push(done);
      await done;
    },
    output: () => output,
    async close() {
      await Promise.all([...functions.keys()].map((name) => host.remove(name)));
      await Promise.all(withdrawn);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return host;
}

const isLatest = (qualifier: string | undefined) => qualifier === undefined || qualifier === '$LATEST';

/** Is a request signed at all, with keys of this account, for this region and service? */
function unsigned({ headers }: IncomingMessage): AwsError | undefined {
  const { authorization = '', 'x-amz-date': date } = headers;
  const scope =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([\w-]+)\/(lambda|ssm)\/aws4_request, ?SignedHeaders=[\w;-]+, ?Signature=[0-9a-f]{64}$/.exec(
      authorization,
    );
  if (scope === null || date === undefined) {
    return {
      status: 403,
      type: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
    };
  }
  if (scope[1] === 'AKIALAMBDAHOST' && scope[2] === region) return undefined;
  const message = 'The security token included in the request is invalid.';
  return { status: 403, type: 'UnrecognizedClientException', message };
}

function badQualifier(qualifier: string): AwsError {
  const message = `1 validation error detected: Value '${qualifier}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \\$LATEST|[a-zA-Z0-9-_]+`;
  return { status: 400, type: 'ValidationException', message };
}

/** What a request asks for. Functions are named `name`, `name:qualifier`, or by ARN with or without qualifier. */
function callOf(url: URL, payload: Buffer): HostCall {
  if (url.pathname === '/') return { operation: 'GetParameter', name: parameterName(payload), payload };
  const [, given = '', what] =
    /^\/2015-03-31\/functions\/([^/]+)\/(invocations|configuration)$/.exec(url.pathname) ?? [];
  const parts = decodeURIComponent(given).split(':');
  const [name = '', suffix] = parts.includes('function') ? parts.slice(parts.indexOf('function') + 1) : parts;
  const qualifier = url.searchParams.get('Qualifier') ?? suffix;
  return {
    operation: what === 'invocations' ? 'Invoke' : 'GetFunctionConfiguration',
    name,
    ...(qualifier === undefined ? {} : { qualifier }),
    payload,
  };
}

function parameterName(payload: Buffer): string {
  try {
    return String(Object(JSON.parse(payload.toString())).Name);
  } catch {
    return '';
  }
}
