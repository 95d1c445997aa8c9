import { chmod, mkdir, readdir, unlink } from 'node:fs/promises';
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

/** Asks every role that serves on this state folder; sockets of killed processes are removed. */
export async function readStatuses(state: string): Promise<readonly RoleStatus[]> {
  const names = await readdir(folderOf(state)).catch(() => []);
  const statuses: RoleStatus[] = [];
  for (const name of names.filter((each) => each.endsWith('.sock')).sort()) {
    const path = join(folderOf(state), name);
    await removeDeadSocket(path);
    const text = await readAll(path);
    if (text !== undefined) statuses.push(statusSchema.parse(JSON.parse(text)));
  }
  return statuses;
}

async function readAll(path: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let text = '';
    const socket = createConnection(path);
    socket.setEncoding('utf8');
    socket.setTimeout(answerMs, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.length > maxStatusBytes) socket.destroy(new Error('too long'));
    });
    socket.once('end', () => resolve(text));
    socket.once('error', () => resolve(undefined));
  });
}
