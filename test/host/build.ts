import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The first and the last of go-plugin: `new` is built as the newest SFTPGo is, `old` as SFTPGo 2.3 was. */
export const hostKinds = ['new', 'old'] as const;

/** Every host: besides those, `v016` as SFTPGo 2.5.6 and `v013` as SFTPGo 2.5.0, after their SDK. */
export const sdkKinds = ['new', 'v016', 'v013', 'old'] as const;

export type HostKind = (typeof sdkKinds)[number];

const leastGo = { major: 1, minor: 24 };

function goVersion(): { major: number; minor: number } | undefined {
  try {
    const said = execFileSync('go', ['env', 'GOVERSION'], { cwd: import.meta.dirname, encoding: 'utf8' });
    const [, major, minor] = /^go(\d+)\.(\d+)/.exec(said) ?? [];
    return { major: Number(major), minor: Number(minor) };
  } catch {
    return undefined;
  }
}

/**
 * Can the Go hosts be built here? Returns why not, as `skipped: needs Go >= 1.24 (…)`, for the title of the
 * tests that then do not run; undefined if they can. With CI=true a missing Go is an error instead.
 */
export function whyNoGo(): string | undefined {
  const found = goVersion();
  const enough =
    found !== undefined &&
    (found.major > leastGo.major || (found.major === leastGo.major && found.minor >= leastGo.minor));
  if (enough) return undefined;
  const reason = `needs Go >= ${leastGo.major}.${leastGo.minor}, ${found ? `found ${found.major}.${found.minor}` : 'found none'}`;
  if (process.env['CI'] === 'true') throw new Error(`The real-host tests must run in CI: ${reason}`);
  return `skipped: ${reason}`;
}

/**
 * Builds one host with `go build` and returns the path of the binary. Go's build cache makes the second time
 * cheap. Throws with the compiler's words.
 */
export async function buildHost(kind: HostKind): Promise<string> {
  const binary = join(import.meta.dirname, 'bin', `host-${kind}`);
  await promisify(execFile)('go', ['build', '-trimpath', '-buildvcs=false', '-o', binary, '.'], {
    cwd: join(import.meta.dirname, kind),
  });
  return binary;
}
