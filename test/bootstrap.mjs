// Plain JavaScript for the oldest Node that may start it: installs and builds what is missing, then runs a
// TypeScript file on the pinned Node (or on this one, where it is new enough).
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const minimumMajor = 22;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [file, ...args] = process.argv.slice(2);
const say = (text) => process.stderr.write(`${text}\n`);

/** Runs a program with its output on stderr; its failure is ours, without a stack trace on top. */
function runOrExit(program, args) {
  try {
    execFileSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    say(`failed: ${[program, ...args].join(' ')} (${error.status ?? error.code})`);
    process.exit(1);
  }
}

/** Newest change (ms) of what the build reads. */
function newestSource() {
  const folders = ['adapter', 'functions', 'proto', 'infra'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)),
  );
  return Math.max(...[...files, join(root, 'package-lock.json')].map((path) => statSync(path).mtimeMs));
}

function installed() {
  const marker = join(root, 'node_modules/.package-lock.json');
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

if (!installed()) {
  say('installing packages (npm ci), about a minute …');
  runOrExit('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
const pinned = join(root, 'node_modules/.bin/node');
const node = existsSync(pinned) ? pinned : process.execPath;
if (node === process.execPath && Number(process.versions.node.split('.')[0]) < minimumMajor) {
  say(
    `Node.js ${minimumMajor} or newer is needed; this is ${process.version} and no pinned one fits this platform.`,
  );
  process.exit(1);
}
const built = join(root, 'dist/adapter.schema.json');
if (!existsSync(built) || statSync(built).mtimeMs < newestSource()) {
  say('building …');
  runOrExit(node, [join(root, 'infra/build/main.ts')]);
}
const child = spawn(node, [join(root, file), ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}` },
});
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
