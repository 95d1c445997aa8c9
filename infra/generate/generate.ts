import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { PluginError } from '../../proto/error.ts';

const repository = resolve(import.meta.dirname, '../..');

/**
 * Runs buf over proto/ with the two plugins of buf.gen.yaml: `sftpgo/*_pb.ts`, `bans/*_pb.ts` and `goplugin/*_pb.ts`
 * for the adapter, `wire.ts` for functions. Works offline.
 *
 * @param folder absolute; replaced as a whole, and left as it is when something fails
 * @throws PluginError TOOL_MISSING without buf, INTERNAL when buf refuses the .proto files (it says why on stderr)
 */
export async function generate(folder: string): Promise<void> {
  const fresh = `${folder}.fresh`;
  await rm(fresh, { recursive: true, force: true });
  const bin = join(repository, 'node_modules/.bin');
  const args = ['generate', 'proto', '--template', 'infra/generate/buf.gen.yaml', '--output', fresh];
  const buf = spawn(join(bin, 'buf'), args, {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
    // buf looks its plugins up in PATH; our own one is TypeScript and needs the node that runs this
    env: { ...process.env, PATH: [dirname(process.execPath), bin, process.env['PATH']].join(delimiter) },
  });
  const [code] = await once(buf, 'exit').catch((cause: unknown) => {
    throw new PluginError('TOOL_MISSING', {
      happened: 'buf could not be started',
      expected: '@bufbuild/buf in node_modules',
      remedy: 'Run npm install.',
      cause,
    });
  });
  if (code !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw new PluginError('INTERNAL', {
      happened: `buf generate ended with ${code}`,
      expected: '0',
      remedy: 'Mend the .proto file that buf names above.',
    });
  }
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}
