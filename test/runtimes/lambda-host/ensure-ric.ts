import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PluginError } from '../../../proto/error.ts';

const folder = join(import.meta.dirname, '../lambda');
const client = join(folder, 'node_modules/aws-lambda-ric');

/**
 * AWS's runtime client for Node, installed by its own package.json where it is missing. That compiles for about a
 * minute and needs a C++ compiler, make, cmake, python3 and xz.
 *
 * Returns the program to run, or undefined where it cannot be compiled. Throws TOOL_MISSING instead when CI=true:
 * there, nothing may be tested with less than it says.
 */
export async function ensureRic(say: (text: string) => void = () => undefined): Promise<string | undefined> {
  let problem = '';
  if (!existsSync(join(client, 'rapid-client.node'))) {
    say('compiling the runtime client of AWS Lambda (npm ci), about a minute');
    problem = await install();
  }
  if (existsSync(join(client, 'rapid-client.node'))) return join(client, 'index.mjs');
  if (process.env['CI'] !== 'true') return undefined;
  throw new PluginError('TOOL_MISSING', {
    happened: `aws-lambda-ric was not compiled: ${problem.trim().slice(-1000)}`,
    expected: 'a C++ compiler, make, cmake, python3 and xz',
    remedy: 'Install them: apt-get install g++ make cmake python3 xz-utils.',
  });
}

async function install(): Promise<string> {
  const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close').catch((error: Error) => (stderr = error.message));
  return stderr;
}
