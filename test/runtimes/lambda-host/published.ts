import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Environment } from './environment.ts';

/** What is published as one version of a function. */
export interface FunctionCode {
  /** The deployable zip: its bytes. */
  readonly zip: Uint8Array;
  /** Its environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absent: `index.handler`. */
  readonly handler?: string;
  /** Whole seconds; absent: 15. */
  readonly timeoutS?: number;
  /** More invocations at a time are throttled; absent: 100. */
  readonly maxConcurrency?: number;
}

/** One published version and the environments that run it. */
export interface Published extends Required<FunctionCode> {
  readonly name: string;
  readonly version: string;
  readonly codeSha256: string;
  readonly revisionId: string;
  readonly lastModified: string;
  /** Where the zip was unpacked. */
  readonly taskRoot: string;
  readonly idle: Environment[];
  readonly busy: Set<Environment>;
}

/** Unpacks a zip as Lambda does. */
export function publish(name: string, version: string, code: FunctionCode): Published {
  const taskRoot = mkdtempSync(join(tmpdir(), 'lambda-task-'));
  for (const [file, content] of Object.entries(unzipSync(code.zip))) {
    mkdirSync(dirname(join(taskRoot, file)), { recursive: true });
    if (!file.endsWith('/')) writeFileSync(join(taskRoot, file), content, { mode: 0o644 });
  }
  return {
    env: {},
    handler: 'index.handler',
    timeoutS: 15,
    maxConcurrency: 100,
    ...code,
    name,
    version,
    codeSha256: createHash('sha256').update(code.zip).digest('base64'),
    revisionId: randomUUID(),
    lastModified: new Date().toISOString().replace('Z', '+0000'),
    taskRoot,
    idle: [],
    busy: new Set(),
  };
}

/** Ends its environments and removes its files. */
export async function withdraw(published: Published): Promise<void> {
  await Promise.all([...published.idle, ...published.busy].map((environment) => environment.kill()));
  rmSync(published.taskRoot, { recursive: true, force: true });
}

/** The answer of GetFunctionConfiguration (https://docs.aws.amazon.com/lambda/latest/api/). */
export function configurationOf(published: Published, arn: string): object {
  const { name, version, handler, zip, timeoutS, lastModified, codeSha256, env, revisionId } = published;
  return {
    FunctionName: name,
    FunctionArn: arn,
    Runtime: 'nodejs24.x',
    Role: 'arn:aws:iam::123456789012:role/function',
    Handler: handler,
    CodeSize: zip.byteLength,
    Description: '',
    Timeout: timeoutS,
    MemorySize: 128,
    LastModified: lastModified,
    CodeSha256: codeSha256,
    Version: version,
    Environment: { Variables: env },
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: ['x86_64'],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
  };
}
