import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A running SFTPGo with one user. */
export interface Sftpgo {
  /** Of its SFTP server, as host:port. */
  readonly addr: string;
  /** Its REST API, `http://127.0.0.1:PORT/api/v2`; the administrator has the user's name and password. */
  readonly api: string;
  /** Port of its WebDAV server on 127.0.0.1; 0 unless `webdav` was asked for. */
  readonly webdavPort: number;
  readonly user: string;
  readonly password: string;
  readonly pid: number;
  /** Its JSON log so far. */
  logs(): Promise<readonly Readonly<Record<string, string>>[]>;
  /** SIGHUP: SFTPGo then sends Reload to its IP filter. */
  reload(): void;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

async function untilListening(port: number, child: ChildProcess, log: () => Promise<string>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new Error(`SFTPGo ended with ${child.exitCode}:\n${await log()}`);
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await delay(100);
  }
  throw new Error(`SFTPGo does not listen:\n${await log()}`);
}

/**
 * Starts a real SFTPGo in a temporary folder: SFTP and REST on loopback ports, one user and one administrator in the
 * memory provider, the given `plugins` entries, and nothing in its environment but `env`. `config` adds top-level
 * keys to its configuration; with `webdav` it serves that, too, with further keys of its binding if there are any.
 *
 * Takes the path of the binary; where its templates lie beside it, as in the release archive, they are found.
 */
export async function startSftpgo(
  binary: string,
  options: {
    readonly plugins: readonly unknown[];
    readonly env: NodeJS.ProcessEnv;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly webdav?: true | Readonly<Record<string, unknown>>;
  },
): Promise<Sftpgo> {
  const folder = await mkdtemp(join(tmpdir(), 'sftpgo-'));
  const [port, httpPort] = [await freePort(), await freePort()];
  const webdavPort = options.webdav ? await freePort() : 0;
  const user = 'anna';
  const password = 'correct horse battery staple';
  const templates = join(dirname(binary), 'templates');
  const hostKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(join(folder, 'id_ed25519'), hostKey, { mode: 0o600 });
  const data = {
    version: 17,
    users: [
      {
        id: 1,
        username: user,
        password,
        status: 1,
        home_dir: join(folder, 'home'),
        permissions: { '/': ['*'] },
      },
    ],
    admins: [{ id: 1, username: user, password, status: 1, permissions: ['*'] }],
  };
  await writeFile(join(folder, 'data.json'), JSON.stringify(data), { mode: 0o600 });
  const config = {
    sftpd: { bindings: [{ port, address: '127.0.0.1' }], host_keys: ['id_ed25519'] },
    httpd: {
      bindings: [{ port: httpPort, address: '127.0.0.1', enable_web_admin: false, enable_web_client: false }],
      openapi_path: '',
      static_files_path: '',
    },
    ...(options.webdav
      ? { webdavd: { bindings: [{ port: webdavPort, address: '127.0.0.1', ...Object(options.webdav) }] } }
      : {}),
    data_provider: { driver: 'memory', name: 'data.json' },
    ...(existsSync(templates) ? { smtp: { templates_path: templates } } : {}),
    plugins: options.plugins,
    ...options.config,
  };
  await writeFile(join(folder, 'sftpgo.json'), JSON.stringify(config), { mode: 0o600 });

  const logPath = join(folder, 'sftpgo.log');
  const log = () => readFile(logPath, 'utf8').catch(() => '');
  const child = spawn(
    binary,
    ['serve', '--config-dir', folder, '--config-file', 'sftpgo.json', '--log-file-path', logPath],
    { cwd: folder, env: options.env, stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port, child, log);
    await untilListening(httpPort, child, log);
    if (options.webdav) await untilListening(webdavPort, child, log);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    addr: `127.0.0.1:${port}`,
    api: `http://127.0.0.1:${httpPort}/api/v2`,
    webdavPort,
    user,
    password,
    pid: child.pid ?? 0,
    logs: async () =>
      (await log())
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    reload: () => void child.kill('SIGHUP'),
    close,
  };
}
