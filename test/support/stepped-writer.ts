import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { resolve } from 'node:path';

/**
 * A process that changes a lock, and stops before one of its steps: `node stepped-writer.ts STEP remove NAME` or
 * `… sign KEYFILE`, in the folder of `bundles.lock.json`. It says that it stopped, by a message, and goes on when it is
 * told so. A step is a use of the file system that touches the lock or its copies, and half of a text is one as well.
 */
const [stopAt = '', what = '', argument = ''] = process.argv.slice(2);
let step = 0;

async function arrive(path: unknown): Promise<void> {
  if (typeof path !== 'string' || !/\/(?:bundles\.lock\.json|locks\b)/.test(resolve(path))) return;
  step += 1;
  if (step !== Number(stopAt)) return;
  const goOn = new Promise((resolve) => process.once('message', resolve));
  process.send?.('stopped');
  await goOn;
}

for (const name of ['mkdir', 'readdir', 'rename', 'rm', 'rmdir', 'unlink', 'writeFile'] as const) {
  const real = fs[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(fs, {
    [name]: async (...args: unknown[]) => {
      await arrive(args[0]);
      return await real(...args);
    },
  });
}

const { open } = fs;
Object.assign(fs, {
  open: async (...args: Parameters<typeof open>) => {
    await arrive(args[0]);
    return inHalves(await open(...args), args[0]);
  },
});

/** Whoever is killed while it writes leaves a part of it. */
function inHalves(handle: FileHandle, path: unknown): FileHandle {
  const write = handle.writeFile.bind(handle);
  handle.writeFile = async (text) => {
    const half = String(text).length / 2;
    await arrive(path);
    await write(String(text).slice(0, half));
    await arrive(path);
    await write(String(text).slice(half));
  };
  return handle;
}
syncBuiltinESMExports();

const files = { lockFile: 'bundles.lock.json', signerFile: 'signer.key.json', trustFile: 'trust.jwks.json' };
try {
  if (what === 'remove') {
    const { removeFunction } = await import('../../infra/lock/remove.ts');
    await removeFunction(files, argument);
  } else {
    const { signLock } = await import('../../infra/lock/sign.ts');
    await signLock({ ...files, signerFile: argument });
  }
} catch (error) {
  process.exitCode = Object(error).code === 'INPUT_INVALID' ? 3 : 1;
  process.stderr.write(`${String(error)}\n`);
} finally {
  process.disconnect?.();
}
