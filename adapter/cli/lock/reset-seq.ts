import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { PluginError } from '../../../proto/error.ts';
import { hasExpired, lockExpired, readLock } from '../../config/load-lock.ts';
import { loadConfig } from '../../config/load-role.ts';
import { type AcceptedLock, lastAccepted, resetAccepted } from '../../config/lock-history.ts';
import type { Config } from '../../config/schema.ts';
import { isSectionName } from '../../policies/index.ts';
import { configOption } from '../config-option.ts';
import { print, remark, table } from '../output.ts';

/** `lock reset-seq`: makes the lock of the configuration the last accepted one, where a higher seq is remembered. */
export function resetSeqCommand(): Command {
  return new Command('reset-seq')
    .description('recovery: accept the lock of the configuration, though a later one was accepted before')
    .addOption(configOption())
    .option('--yes', 'do not ask')
    .action(async (options: { config: string; yes?: true }) => {
      const { config } = await loadConfig(options.config);
      const at = (path: string) => resolve(dirname(options.config), path);
      const state = at(stateOf(config, options.config));
      const lockPath = at(config.lock.file);
      const { lock, digest } = await readLock({
        lockPath,
        trustPath: at(config.trust.file),
        threshold: config.trust.threshold,
      });
      if (hasExpired(lock.expires)) throw lockExpired(lockPath, lock.expires);
      const now = { seq: lock.seq, digest };
      const roles = await Promise.all(
        Object.keys(config)
          .filter(isSectionName)
          .map(async (type) => ({ type, ...(await remembered(state, type, now)) })),
      );
      print(
        table(
          ['role', 'remembers', lockPath],
          roles.map(({ type, text }) => [type, text, textOf(now)]),
        ),
      );
      const changing = roles.filter(({ same }) => !same);
      if (changing.length === 0) {
        print('Nothing to reset.');
        return;
      }
      await demandConsent(options.yes === true, lock.seq);
      for (const { type } of changing) await resetAccepted(state, type, now);
      print(
        `${changing.map(({ type }) => type).join(', ')}: seq ${lock.seq} is the last one accepted. A running adapter takes it within 5 s.`,
      );
    });
}

function stateOf(config: Config, path: string): string {
  if (config.state !== undefined) return config.state;
  throw new PluginError('CONFIG_INVALID', {
    happened: `${path} has no \`state\`: only the running plugin remembers which lock it accepted`,
    expected: 'a state folder, in which there is something to reset',
    remedy: 'Restart SFTPGo: its plugins then accept the lock that is there.',
  });
}

/** What a role remembers, in words, also where its file is damaged. */
async function remembered(
  state: string,
  type: string,
  { seq, digest }: AcceptedLock,
): Promise<{ text: string; same: boolean }> {
  try {
    const accepted = await lastAccepted(state, type);
    return { text: textOf(accepted), same: accepted.seq === seq && accepted.digest === digest };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    remark(`${type}: ${error.happened}`);
    return { text: 'cannot be read', same: false };
  }
}

function textOf({ seq, digest }: AcceptedLock): string {
  if (seq === 0) return 'none';
  return digest === undefined ? `seq ${seq}` : `seq ${seq} (${digest.slice(0, 12)}…)`;
}

async function demandConsent(given: boolean, seq: number): Promise<void> {
  if (given) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new PluginError('INPUT_INVALID', {
      happened: 'nothing was reset: nobody can be asked here',
      expected: 'a terminal, or --yes',
      remedy: 'Look at the seqs above; if the lock is the right one, add --yes.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Accept seq ${seq}, and older code with it? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new PluginError('INPUT_INVALID', {
    happened: 'nothing was reset',
    expected: 'the answer y',
    remedy: 'Run it again when the lock is the right one.',
  });
}
