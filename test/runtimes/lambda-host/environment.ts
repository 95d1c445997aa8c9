import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** AWS's limit for the answer of a synchronous invocation, in bytes. */
const maxAnswerBytes = 6_291_556;

/** What came of one invocation: the header X-Amz-Function-Error, and the body. */
export interface Invocation {
  readonly functionError?: 'Unhandled';
  readonly payload: Buffer;
}

/** One execution environment of Lambda: a process that serves one invocation at a time. */
export interface Environment {
  /** False once its process has ended or must not be used again. */
  readonly alive: boolean;
  invoke(request: { id: string; arn: string; payload: Buffer; timeoutMs: number }): Promise<Invocation>;
  kill(): Promise<void>;
}

export interface EnvironmentOptions {
  /** Arguments of Node: the runtime client. */
  readonly args: readonly string[];
  /** Where the code is. */
  readonly taskRoot: string;
  readonly env: Readonly<Record<string, string>>;
  onOutput(text: string): void;
}

interface Pending {
  readonly id: string;
  readonly arn: string;
  readonly payload: Buffer;
  readonly deadlineMs: number;
  finish(outcome: Invocation): void;
}

const failed = (errorType: string, errorMessage: string): Invocation => ({
  functionError: 'Unhandled',
  payload: Buffer.from(JSON.stringify({ errorType, errorMessage })),
});

/**
 * Starts a process and a Runtime API for it (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Does
 * not wait for the init: the first invocation does, as on AWS.
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  let pending: Pending | undefined;
  /** The runtime client that waits for work. */
  let waiting: ServerResponse | undefined;
  let initError: Invocation | undefined;
  let alive = true;

  const server = createServer((incoming, outgoing) => {
    void route(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const api = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  // fd 3 ends when this process does, whatever ends it: no environment outlives its host
  const watch = '( read -r _ <&3; kill -KILL $$ ) >/dev/null 2>&1 & exec "$@" 3<&-';
  const child = spawn('/bin/sh', ['-c', watch, 'sh', process.execPath, ...options.args], {
    cwd: options.taskRoot,
    env: { ...options.env, AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: options.taskRoot },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => options.onOutput(text));
  }
  const ended = once(child, 'exit').then(([code, signal]) => {
    alive = false;
    child.stdio[3]?.destroy();
    server.closeAllConnections();
    server.close();
    const how = signal === null ? `exit status ${code}` : `signal: ${String(signal).slice(3).toLowerCase()}`;
    const text = `RequestId: ${pending?.id} Error: Runtime exited with error: ${how}`;
    pending?.finish(initError ?? failed('Runtime.ExitError', text));
  });

  function hand(): void {
    if (pending === undefined || waiting === undefined) return;
    const { id, arn, payload, deadlineMs } = pending;
    waiting.writeHead(200, {
      // the native client crashes without it
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(deadlineMs),
      'lambda-runtime-invoked-function-arn': arn,
      'lambda-runtime-trace-id': `Root=1-00000000-${id.replaceAll('-', '').slice(0, 24)};Sampled=0`,
    });
    waiting.end(payload);
    waiting = undefined;
  }

  async function route(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = (incoming.url ?? '').replace('/2018-06-01/runtime', '');
    if (path === '/invocation/next') {
      waiting = outgoing;
      hand();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const tooLarge = body.byteLength > maxAnswerBytes;
    outgoing.writeHead(tooLarge ? 413 : 202, { 'content-type': 'application/json' });
    outgoing.end(tooLarge ? '{"errorType":"RequestEntityTooLarge"}' : '{"status":"OK"}');
    const unhandled: Invocation = { functionError: 'Unhandled', payload: body };
    if (path === '/init/error') {
      initError = unhandled;
    } else if (tooLarge) {
      const text = `Response payload size exceeded maximum allowed payload size (${maxAnswerBytes} bytes).`;
      pending?.finish(failed('Function.ResponseSizeTooLarge', text));
    } else {
      pending?.finish(path.endsWith('/error') ? unhandled : { payload: body });
    }
  }

  async function kill(): Promise<void> {
    alive = false;
    child.kill('SIGKILL');
    await ended;
  }

  return {
    get alive() {
      return alive;
    },
    kill,
    invoke({ timeoutMs, ...request }) {
      return new Promise((resolve) => {
        const { promise, resolve: finish } = Promise.withResolvers<Invocation>();
        pending = { ...request, deadlineMs: Date.now() + timeoutMs, finish };
        const timer = setTimeout(() => {
          const seconds = (timeoutMs / 1000).toFixed(2);
          finish(
            failed(
              'Sandbox.Timedout',
              `RequestId: ${request.id} Error: Task timed out after ${seconds} seconds`,
            ),
          );
          void kill();
        }, timeoutMs);
        void promise.then((outcome) => {
          clearTimeout(timer);
          pending = undefined;
          resolve(outcome);
        });
        if (!alive) finish(initError ?? failed('Runtime.ExitError', 'the process has ended'));
        hand();
      });
    },
  };
}
