import { chmod, lstat, mkdir, readdir, unlink } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import type { Log } from '../invoke/connection.ts';
import { removeDeadSocket } from './dead-socket.ts';

const maxStatusBytes = 4 * 1024 * 1024;
const answerMs = 2000;

const histogram = z.object({ buckets: z.array(z.number()), sumS: z.number(), count: z.number() });

const statusSchema = z.object({
  type: z.string(),
  pid: z.number(),
  function: z.string().optional(),
  target: z.string().optional(),
  proof: z.string().optional(),
  seq: z.number().optional(),
  lockExpires: z.string().optional(),
  /** What is wrong with the files, if anything. */
  problem: z.string().optional(),
  samples: z.array(
    z.object({
      family: z.string(),
      labels: z.record(z.string(), z.string()),
      value: z.union([z.number(), histogram]),
    }),
  ),
});

/** What a serving role says of itself. Nothing in it is secret; the socket is the owner's all the same. */
export type RoleStatus = z.infer<typeof statusSchema>;

function folderOf(state: string): string {
  return join(state, 'status');
}

/**
 * Says a role's status to whoever connects to `<state>/status/<type>-<pid>.sock` (mode 0600), as JSON, and hangs up. A
 * second process of the role, as SFTPGo's `resetpwd` starts one, has a socket of its own. Never fails the role.
 * Returns what ends it.
 */
export async function openStatusSocket(
  state: string,
  type: string,
  status: () => RoleStatus,
  log: Log,
): Promise<() => Promise<void>> {
  const path = join(folderOf(state), `${type}-${process.pid}.sock`);
  try {
    await mkdir(folderOf(state), { recursive: true, mode: 0o700 });
    await removeDeadSocket(path);
    const server = await listen(path, () => JSON.stringify(status()));
    return async () => {
      server.close();
      await unlink(path).catch(() => undefined);
    };
  } catch (error) {
    log.warn('`status` will not show this role', {
      socket: path,
      error: Object(error).code ?? String(error),
    });
    return async () => undefined;
  }
}

async function listen(path: string, text: () => string): Promise<Server> {
  const { createServer } = await import('node:net');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(text());
  });
  server.maxConnections = 16;
  // the folder is closed already; a umask would be that of whatever else makes files meanwhile
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  server.on('error', () => undefined);
  server.unref();
  await chmod(path, 0o600);
  return server;
}

/** One socket of the state folder, asked. */
export interface AskedRole {
  readonly socket: string;
  /** What its role says of itself; undefined where it does not answer. */
  readonly status?: RoleStatus;
  /** Why it does not answer, in words. */
  readonly silence?: string;
}

/**
 * Asks every role that serves on this state folder. One that hangs, is asked by too many or says what cannot be read
 * is among them, without its status; sockets of killed processes are removed, and those of roles that end are left out.
 */
export async function askRoles(state: string): Promise<readonly AskedRole[]> {
  const names = await readdir(folderOf(state)).catch(() => []);
  const sockets = names.filter((each) => each.endsWith('.sock')).sort();
  const asked = await Promise.all(sockets.map((name) => askRole(join(folderOf(state), name))));
  return asked.filter((one) => one !== undefined);
}

/** What every role says that answers. */
export async function readStatuses(state: string): Promise<readonly RoleStatus[]> {
  return (await askRoles(state)).flatMap(({ status }) => status ?? []);
}

/** Undefined: nobody is there any more. */
async function askRole(socket: string): Promise<AskedRole | undefined> {
  await removeDeadSocket(socket);
  try {
    return { socket, status: statusSchema.parse(JSON.parse(await readAll(socket))) };
  } catch (error) {
    await removeDeadSocket(socket);
    if ((await lstat(socket).catch(() => undefined)) === undefined) return undefined;
    const unreadable = error instanceof SyntaxError || error instanceof z.ZodError;
    const silence = unreadable ? 'no status' : (Object(error).code ?? Object(error).message);
    return { socket, silence: String(silence) };
  }
}

/** All that the other end says until it hangs up. */
async function readAll(path: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(path);
    socket.setEncoding('utf8');
    socket.setTimeout(answerMs, () => socket.destroy(new Error(`nothing for ${answerMs} ms`)));
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.length > maxStatusBytes) socket.destroy(new Error('too much'));
    });
    socket.once('end', () => resolve(text));
    socket.once('error', reject);
  });
}
