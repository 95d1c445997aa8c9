import { basename, dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { PluginError } from '../../proto/error.ts';
import { loadConfig } from '../config/load-role.ts';
import { quantileS } from '../metrics/quantile.ts';
import { type AskedRole, askRoles, type RoleStatus } from '../metrics/status-socket.ts';
import { configOption } from './config-option.ts';
import { plain, print, table } from './output.ts';

/** `status`: what the roles that serve on this machine say of themselves, and which do not answer. Exit 1 when none does. */
export function statusCommand(): Command {
  return new Command('status')
    .description('what the serving plugins count: calls, outcomes, memory, lock')
    .addOption(configOption())
    .option('--json', 'one object a role and line')
    .action(async (options: { config: string; json?: true }) => {
      const { config } = await loadConfig(options.config);
      if (config.state === undefined) {
        throw new PluginError('CONFIG_INVALID', {
          happened: `${options.config} has no \`state\`, where the sockets of serving plugins are`,
          expected: 'state: <folder>',
          remedy: 'Add it, and wait until the plugins have read the configuration again (5 s).',
        });
      }
      const roles = await askRoles(resolve(dirname(options.config), config.state));
      if (options.json) {
        for (const role of roles) print(JSON.stringify(role.status ?? role));
      } else {
        print(
          roles.length === 0 ? 'No plugin serves with this state folder.' : roles.map(roleText).join('\n\n'),
        );
      }
      if (roles.every(({ status }) => status === undefined)) process.exitCode = 1;
    });
}

function roleText({ socket, status, silence }: AskedRole): string {
  if (status !== undefined) return asText(status);
  return plain(`${basename(socket, '.sock')}: DOES NOT ANSWER (${silence})`);
}

function asText(status: RoleStatus): string {
  const { type, pid, samples } = status;
  const head = [
    `${type}: ${status.function ?? 'no function'} (${status.target ?? 'no target'}), pid ${pid}, lock seq ${status.seq ?? 'none'}`,
    ...(status.proof === undefined ? [] : [`  ${status.proof}`]),
    ...(status.problem === undefined ? [] : [`  NOT IN ORDER: ${status.problem}`]),
  ];
  const rows = samples.flatMap(({ family, labels: { type: _, ...labels }, value }) => {
    const what = Object.entries(labels).map(([name, each]) => `${name}=${each}`);
    if (typeof value === 'number') return [[`  ${family}`, what.join(' '), figure(family, value)]];
    const [p50, p99] = [quantileS(value, 0.5), quantileS(value, 0.99)].map((s) => (s * 1000).toPrecision(3));
    return [[`  ${family}`, what.join(' '), `${value.count} times, p50 <= ${p50} ms, p99 <= ${p99} ms`]];
  });
  return [...head, table(['  figure', '', ''], rows)].join('\n');
}

function figure(family: string, value: number): string {
  if (family.endsWith('timestamp_seconds')) return new Date(value * 1000).toISOString();
  if (family.endsWith('_bytes')) return `${(value / 1024 / 1024).toFixed(1)} MiB`;
  return String(Math.round(value * 1000) / 1000);
}
