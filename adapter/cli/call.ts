import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type DescMethod, type DescMethodUnary, toJson } from '@bufbuild/protobuf';
import { Command, Option } from 'commander';
import { PluginError } from '../../proto/error.ts';
import { isPluginTypeName, pluginTypes } from '../../proto/plugin-types.ts';
import { nearest } from '../config/nearest.ts';
import { GrpcError } from '../goplugin/grpc-error.ts';
import { launch } from '../goplugin/host/launch.ts';
import type { Trace } from '../shapes.ts';
import { configOption } from './config-option.ts';
import { executablePath } from './executable.ts';
import { messageFromArguments } from './message-arguments.ts';
import { print, remark } from './output.ts';

/** gRPC PERMISSION_DENIED: the function's decision, and so exit code 2. */
const permissionDenied = 7;

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

function methodOf(typeName: string, rpc: string) {
  if (!isPluginTypeName(typeName)) {
    const types = Object.keys(pluginTypes);
    throw new PluginError('INPUT_INVALID', {
      happened: `"${typeName}" is no plugin type`,
      expected: types.join(' | '),
      remedy: `Did you mean "${nearest(typeName, types) ?? 'ipfilter'}"?`,
    });
  }
  const row = pluginTypes[typeName];
  const method = row.service.methods.find(({ name }) => name === rpc);
  if (method && isUnary(method)) return { row, method };
  const names = row.service.methods.map(({ name }) => name);
  throw new PluginError('INPUT_INVALID', {
    happened: `${typeName} has no RPC "${rpc}"`,
    expected: names.join(' | '),
    remedy: `Did you mean "${nearest(rpc, names) ?? names[0]}"?`,
  });
}

function ms(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(2)} ms`;
}

interface CallOptions {
  readonly config: string;
  readonly json?: true;
  readonly verbose?: true;
}

/**
 * `call TYPE RPC key=value …`: starts this very executable as SFTPGo would (magic cookie, AutoMTLS, checksum,
 * empty environment), makes one call and shows what came of it. Exit 0: answered; 2: denied; 1: failed.
 */
export function callCommand(): Command {
  return new Command('call')
    .description('make one call as SFTPGo would and show verdict, evidence and where the time went')
    .argument('<type>', 'plugin type, as ipfilter')
    .argument('<rpc>', 'RPC, as CheckIP')
    .argument('[fields...]', 'fields of the request, as ip=203.0.113.7 protocol=SSH')
    .addOption(configOption())
    .addOption(new Option('--json', 'one JSON object'))
    .addOption(new Option('-v, --verbose', "show the plugin's log on stderr"))
    .action(async (typeName: string, rpc: string, fields: string[], options: CallOptions) => {
      const { row, method } = methodOf(typeName, rpc);
      const input = messageFromArguments(method.input, fields);
      const cmd = executablePath();
      const problems: string[] = [];
      const plugin = await launch({
        cmd,
        args: ['serve', '--config', resolve(options.config)],
        env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
        cookie: { name: row.cookie[0], value: row.cookie[1] },
        versions: [1],
        autoMtls: true,
        sha256: createHash('sha256')
          .update(await readFile(cmd))
          .digest('hex'),
        onLog(level, message) {
          if (options.verbose) remark(`[${level}] ${message}`);
          if (level === 'warn' || level === 'error') problems.push(message);
        },
      });
      try {
        const started = performance.now();
        const outcome = await plugin
          .call(method, input, { timeoutMs: 20_000, metadata: { 'plugin-trace': '1' } })
          .catch((error: unknown) => {
            if (error instanceof GrpcError) return error;
            throw error;
          });
        const totalMs = performance.now() - started;
        const failed = outcome instanceof GrpcError;
        const trace: Trace = JSON.parse(outcome.trailers.get('plugin-trace') ?? '{}');
        const denied = failed && outcome.grpcCode === permissionDenied;
        const result = {
          type: typeName,
          rpc,
          result: denied ? 'denied' : failed ? 'failed' : 'ok',
          ...(failed ? { error: outcome.message } : { answer: toJson(method.output, outcome.output) }),
          ...trace,
          totalMs,
        };
        print(options.json ? JSON.stringify(result) : forPeople(result, trace, totalMs));
        if (failed && !denied && !options.verbose) for (const problem of new Set(problems)) remark(problem);
        process.exitCode = denied ? 2 : failed ? 1 : 0;
      } finally {
        await plugin.kill();
      }
    });
}

function forPeople(
  result: { rpc: string; result: string; answer?: unknown; error?: string },
  trace: Trace,
  totalMs: number,
): string {
  const { facts } = trace;
  const partsMs = [trace.signMs, trace.networkMs, trace.functionMs, trace.verifyMs];
  const hostMs = totalMs - partsMs.reduce<number>((sum, part) => sum + (part ?? 0), 0);
  const rows = [
    ['result', result.result],
    ['answer', result.error ?? JSON.stringify(result.answer)],
    ['reason', facts?.reason],
    ['answered by', trace.answeredBy ?? (facts && 'the function')],
    ['evidence', facts?.evidence],
    ['version', facts?.version],
    ['keyid', facts?.keyid],
    ['holds for', facts?.freshMs === undefined ? undefined : `${facts.freshMs / 1000} s`],
    [
      'latency',
      `${ms(totalMs)} = host ${ms(hostMs)} + sign ${ms(trace.signMs)} + network ${ms(trace.networkMs)} + function ${ms(trace.functionMs)} + verify ${ms(trace.verifyMs)}`,
    ],
  ];
  return rows
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key?.padEnd(12)}${value}`]))
    .join('\n');
}
