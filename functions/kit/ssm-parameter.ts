import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { PluginError } from '../../proto/error.ts';
import { normaliseAddress } from '../../proto/lock/address.ts';
import { type AwsCredentials, signPost } from './sigv4.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Lambda gives an init 10 s; a burst of cold starts meets SSM's limit of 40 requests a second. */
const attempts = 4;
const attemptTimeoutMs = 2000;
const firstPauseMs = 100;
/** An advanced parameter holds 8 KB. */
const maxAnswerBytes = 64 * 1024;

/**
 * Reads one SecureString of AWS Systems Manager's Parameter Store, decrypted, with the credentials that Lambda puts
 * into the environment. Throttling and network errors are tried again, a few times within some seconds.
 *
 * AWS_ENDPOINT_URL_SSM or AWS_ENDPOINT_URL name another endpoint (a VPC endpoint, a test's server).
 *
 * @throws PluginError CONFIG_INVALID with AWS's error name and what to do; never with the value
 */
export async function readSsmParameter(name: string, env: Environment): Promise<string> {
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || '';
  const credentials = credentialsOf(env);
  const endpoint = endpointOf(env, region);
  const body = JSON.stringify({ Name: name, WithDecryption: true });
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };
  for (let attempt = 1; ; attempt += 1) {
    const post = { endpoint, region, service: 'ssm', headers, body };
    const answer = await send(endpoint, signPost(post, credentials, new Date()), body);
    if (answer.value !== undefined) return answer.value;
    if (!answer.again || attempt === attempts) throw unread(name, answer.problem);
    await sleep(firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
  }
}

function credentialsOf(env: Environment): AwsCredentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'];
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  }
  throw new PluginError('CONFIG_INVALID', {
    happened: 'the environment has no AWS credentials',
    expected: 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as Lambda sets them',
    remedy: 'Give the function an execution role.',
  });
}

function endpointOf(env: Environment, region: string): URL {
  const given = env['AWS_ENDPOINT_URL_SSM'] || env['AWS_ENDPOINT_URL'];
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const address = normaliseAddress(given ?? `https://ssm.${region}.${domain}`);
  const url = 'href' in address ? new URL(address.href) : undefined;
  // a function's key in clear text: the path is the service's own, the network is TLS or this machine
  if (url?.pathname === '/' && /^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) return url;
  throw new PluginError('CONFIG_INVALID', {
    happened: given === undefined ? 'AWS_REGION names no region' : 'the endpoint of SSM cannot be used',
    expected: 'AWS_REGION as Lambda sets it, and an endpoint of https without a path',
    remedy: 'Correct AWS_ENDPOINT_URL_SSM and AWS_ENDPOINT_URL of the function, or remove them.',
  });
}

interface Answer {
  readonly value?: string;
  /** AWS's name of the error, or Node's code. */
  readonly problem: string;
  /** May another attempt mend it? */
  readonly again: boolean;
}

async function send(endpoint: URL, headers: Record<string, string>, body: string): Promise<Answer> {
  const { request } = await (endpoint.protocol === 'http:' ? import('node:http') : import('node:https'));
  let text = '';
  let status = 0;
  try {
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { method: 'POST', headers, signal: AbortSignal.timeout(attemptTimeoutMs) };
      request(endpoint, options, resolve).on('error', reject).end(body);
    });
    status = incoming.statusCode ?? 0;
    for await (const chunk of incoming.setEncoding('utf8')) {
      text += chunk;
      if (text.length > maxAnswerBytes) return { problem: 'an answer that is too long', again: false };
    }
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? 'no answer', again: true };
  }
  const json = parse(text);
  const value = status === 200 ? Object(Object(json)['Parameter'])['Value'] : undefined;
  if (typeof value === 'string') return { value, problem: '', again: false };
  const type = String(Object(json)['__type'] ?? '').replace(/^.*#/, '');
  const problem = /^\w{1,64}$/.test(type) ? type : `status ${status}`;
  return { problem, again: status >= 500 || status === 429 || /Throttling|TooManyUpdates/.test(type) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const remedies: Readonly<Record<string, string>> = {
  ParameterNotFound: 'Create the parameter, or correct PLUGIN_KEY_PARAMETER of the function.',
  AccessDeniedException: 'Allow ssm:GetParameter on it, and kms:Decrypt on its key, to the execution role.',
  InvalidKeyId: 'Enable the KMS key of the parameter, and allow kms:Decrypt on it to the execution role.',
};

function unread(name: string, problem: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `the parameter ${name} cannot be read (${problem})`,
    expected: "the function's private key as a SecureString of Parameter Store",
    remedy:
      remedies[problem] ?? 'Check that the function reaches SSM: in a VPC it needs a VPC endpoint for it.',
  });
}
