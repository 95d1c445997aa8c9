import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sealLock } from '../../../proto/lock/seal.ts';
import { lockedFunction } from '../../support/invoke.ts';
import { lockWith, makeRoleFolder, type RoleFolder } from '../../support/role-folder.ts';
import { canaryKey, plainCanary } from './secrets.ts';

/** auth on Lambda and kms on Workers, with credentials that are canaries, behind APIs that quote them. */
export interface Clouds {
  readonly folder: RoleFolder;
  /** Requests whose headers or body held a canary: the APIs were given something to quote. */
  readonly quoted: number;
  close(): Promise<void>;
}

const digest = 'ab'.repeat(32);
const version = '0a1b2c3d-0000-4000-8000-000000000000';
/** `[default]` of AWS, with a session. */
export const credentials = [
  '[default]',
  `aws_access_key_id = ${plainCanary('access-key')}`,
  `aws_secret_access_key = ${plainCanary('secret-key')}`,
  `aws_session_token = ${plainCanary('aws-session')}`,
  '',
].join('\n');
export const token = plainCanary('cloudflare');

/** Starts the APIs and writes the files of a host that uses them. */
export async function startClouds(): Promise<Clouds> {
  let answered = 0;
  let quoted = 0;
  const server = createServer((incoming, outgoing) => {
    incoming.toArray().then(
      (chunks) => {
        const said = quote(incoming, Buffer.concat(chunks).toString());
        if (said.includes('Zq7canary')) quoted += 1;
        answered += 1;
        const { status, headers, body } = answerOf(incoming.url ?? '', said, answered);
        outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
      },
      () => outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = await makeRoleFolder('http://127.0.0.1:1');
  await folder.write('adapter.key.json', JSON.stringify(canaryKey('adapter')));
  await folder.write('aws-credentials', credentials);
  await folder.write('cloudflare.token', `${token}\n`);
  const locked = (type: 'auth' | 'kms') => ({
    ...lockedFunction(endpoint, canaryKey(`cloud-${type}`)),
    type,
  });
  const functions = {
    'team@live': {
      ...locked('auth'),
      target: 'lambda' as const,
      address: 'arn:aws:lambda:eu-central-1:123456789012:function:team',
      handles: ['CheckUserAndPass'],
      accepts: [{ version: '1', files: { 'team.lambda.zip': digest }, config: {}, inputs: {} }],
    },
    'vault@live': {
      ...locked('kms'),
      target: 'worker' as const,
      handles: ['Encrypt', 'Decrypt'],
      accepts: [{ version, files: { 'vault.worker.mjs': digest }, config: { worker: 'vault' }, inputs: {} }],
    },
  };
  await folder.write('bundles.lock.json', await sealLock(lockWith(functions), [folder.signer]));
  await folder.write(
    'serverless.yaml',
    [
      'identity: adapter.key.json',
      'lock: { file: bundles.lock.json }',
      'trust: { file: signers.jwks.json }',
      'state: state',
      `aws: { credentialsFile: aws-credentials, endpoint: '${endpoint}', watch: 1s }`,
      `cloudflare: { account: ${'0a'.repeat(16)}, tokenFile: cloudflare.token, endpoint: '${endpoint}', watch: 1s }`,
      'auth: { use: team }',
      'kms: { use: vault }',
      '',
    ].join('\n'),
  );
  return {
    folder,
    get quoted() {
      return quoted;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await folder.remove();
    },
  };
}

function quote({ rawHeaders, method, url }: IncomingMessage, body: string): string {
  let event = '';
  try {
    event = Buffer.from(String(Object(JSON.parse(body)).body), 'base64').toString();
  } catch {
    // no event of Lambda's: the body says it all
  }
  return [method, url, ...rawHeaders, body, event].join(' ').slice(0, 4000);
}

interface CloudAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const failures = [
  [400, 'InvalidRequestContentException'],
  [403, 'AccessDeniedException'],
  [403, 'UnrecognizedClientException'],
  [429, 'TooManyRequestsException'],
  [500, 'ServiceException'],
] as const;

/** An answer of AWS or Cloudflare that says all it was told. */
function answerOf(path: string, said: string, n: number): CloudAnswer {
  const [status, type] = failures[n % failures.length] ?? [500, ''];
  const failed = {
    status,
    headers: { 'x-amzn-errortype': type },
    body: JSON.stringify({
      message: said,
      Message: said,
      success: false,
      errors: [{ code: 10000, message: said }],
    }),
  };
  if (path.includes('/configuration') && n % 4 !== 0) {
    return {
      status: 200,
      body: JSON.stringify({ Version: '1', CodeSha256: Buffer.from(digest, 'hex').toString('base64') }),
    };
  }
  if (path.includes('/invocations') && n % 2 === 0) {
    const thrown = { errorType: `Error ${said}`, errorMessage: said, trace: [said], stackTrace: said };
    const headers = n % 4 === 0 ? { 'x-amz-function-error': 'Unhandled', 'x-amz-executed-version': '1' } : {};
    return {
      status: 200,
      headers,
      body: JSON.stringify(n % 8 === 2 ? { statusCode: 200, body: said } : thrown),
    };
  }
  return failed;
}
