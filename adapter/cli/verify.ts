import { Command } from 'commander';
import { loadConfig } from '../config/load-role.ts';
import { isSectionName } from '../policies/index.ts';
import { Role } from '../role/role.ts';
import type { Finding } from '../shapes.ts';
import { configOption } from './config-option.ts';
import { print, remark, table } from './output.ts';

const timeoutMs = 15_000;

/** docs/worker.md: what the evidence of Workers rests on so far. */
const untriedOnWorkers =
  'Workers: not yet run against the live Cloudflare API, but against a server of the shape of its public description.';

/** `verify`: asks every configured function what runs there and compares it with the lock; exit 1 on drift. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('compare what is deployed with the lock')
    .addOption(configOption())
    .option('--json', 'one object a line')
    .action(async (options: { config: string; json?: true }) => {
      const { config } = await loadConfig(options.config);
      const findings: Finding[] = [];
      let hasWorker = false;
      for (const type of Object.keys(config).filter(isSectionName)) {
        // what is wrong with the files is thrown by `current` as well
        const log = { debug() {}, info() {}, warn: remark, error() {} };
        const role = new Role({ type, configPath: options.config, log });
        const generation = await role.current();
        findings.push(...(await generation.verifier.audit(AbortSignal.timeout(timeoutMs))));
        remark(`${generation.files.functionName}: ${generation.proof}`);
        hasWorker ||= generation.files.locked.target === 'worker';
        await role.close();
      }
      print(options.json ? findings.map((f) => JSON.stringify(f)).join('\n') : asTable(findings));
      // beside the rows and not in them: they are the same for every target
      if (hasWorker) (options.json ? remark : print)(untriedOnWorkers);
      if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}

function asTable(findings: readonly Finding[]): string {
  return table(
    ['function', 'target', 'version', 'field', 'expected', 'found', 'evidence', 'ok'],
    findings.map((f) => [
      f.function,
      f.target,
      f.version,
      f.field,
      f.expected,
      f.found,
      f.evidence,
      f.ok ? 'yes' : 'NO',
    ]),
  );
}
