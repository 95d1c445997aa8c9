import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { thumbprint } from '../../proto/keys/thumbprint.ts';
import { sealLock } from '../../proto/lock/seal.ts';
import { nodeCrypto } from '../../proto/signature/node.ts';
import { type FunctionServer, startFunction } from '../../test/support/function-server.ts';
import { callOf, lockedFunction, recordingLog } from '../../test/support/invoke.ts';
import { newKey, publicOf } from '../../test/support/keys.ts';
import { codeOf } from '../../test/support/policies.ts';
import { lockWith, makeRoleFolder, newSigner, type RoleFolder } from '../../test/support/role-folder.ts';
import { Role } from '../role/role.ts';

const address = 'https://functions.example.com';
let folder: RoleFolder;
let role: Role<'ipfilter'>;
const undo: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await makeRoleFolder(address);
  role = newRole();
});
afterEach(async () => {
  vi.useRealTimers();
  await role.close();
  for (const step of undo.splice(0).reverse()) await step();
  await folder.remove();
});

function newRole(): Role<'ipfilter'> {
  return new Role({ type: 'ipfilter', configPath: folder.configPath, log: recordingLog(), pollMs: 10 });
}

const seq = async () => (await role.current()).files.seq;
const lockPath = () => folder.at('bundles.lock.json');

/** A sealed lock with the office function. */
async function sealed(
  rest: Parameters<typeof lockWith>[1] = {},
  signers: Parameters<typeof sealLock>[1] = [folder.signer],
): Promise<string> {
  return await sealLock(
    lockWith({ 'office@live': lockedFunction(address, folder.functionKey) }, rest),
    signers,
  );
}

const refused = async (happened: string | RegExp, code = 'LOCK_INVALID') =>
  await expect(role.current()).rejects.toMatchObject({ code, happened: expect.stringMatching(happened) });

test('rollback: an older lock, well sealed, is refused after a restart as well', async () => {
  await folder.configure([], ['state: state']);
  await folder.write('bundles.lock.json', await sealed({ seq: 7 }));
  expect(await seq()).toBe(7);
  await folder.write('bundles.lock.json', await sealed({ seq: 6 }));
  await refused('has seq 6, but 7 was accepted before', 'LOCK_ROLLBACK');
  await role.close();
  role = newRole();
  await refused('has seq 6, but 7 was accepted before', 'LOCK_ROLLBACK');
});

test.each([
  ['over a restart', ['state: state']],
  ['within a process', []],
])('other content under the seq that was accepted is refused %s', async (_, state) => {
  await folder.configure([], state);
  await folder.write('bundles.lock.json', await sealed({ seq: 7 }));
  await role.current();
  await folder.write('bundles.lock.json', await sealed({ seq: 7, issued: '2026-01-02T00:00:00Z' }));
  await refused('has seq 7 as the lock that was accepted before, and another content');
  if (state.length > 0) {
    await role.close();
    role = newRole();
    await refused('and another content');
  }
  await folder.write('bundles.lock.json', await sealed({ seq: 7 }));
  expect(await seq()).toBe(7);
});

test('the same content sealed by another trusted signer is the same lock', async () => {
  await folder.configure([], ['state: state']);
  const next = await newSigner();
  const keys = [folder.signer, next].map(({ jwk: { kty, crv, x } }) => ({ kty, crv, x }));
  await folder.write('signers.jwks.json', JSON.stringify({ keys }));
  await role.current();
  for (const signers of [[next], [folder.signer, next]]) {
    await folder.write('bundles.lock.json', await sealed({}, signers));
    expect(await seq()).toBe(1);
  }
});

test('a state file of an older release accepts its seq once, and then that content only', async () => {
  await folder.configure([], ['state: state']);
  await role.current();
  await role.close();
  await writeFile(folder.at('state/ipfilter.lock-seq.json'), '{"seq":1}\n');
  role = newRole();
  expect(await seq()).toBe(1);
  await folder.write('bundles.lock.json', await sealed({ issued: '2026-01-02T00:00:00Z' }));
  await role.close();
  role = newRole();
  await refused('and another content');
});

test('a running adapter knows the content also when an older state file is put back', async () => {
  await folder.configure([], ['state: state']);
  await role.current();
  await writeFile(folder.at('state/ipfilter.lock-seq.json'), '{"seq":1}\n');
  await folder.write('bundles.lock.json', await sealed({ issued: '2026-01-02T00:00:00Z' }));
  await refused('and another content');
});

test('freeze: an old lock that is kept in place expires, and is never new again', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-05-01T00:00:00Z') });
  await folder.write('bundles.lock.json', await sealed({ seq: 3, expires: '2026-06-01T00:00:00Z' }));
  expect(await seq()).toBe(3);
  vi.setSystemTime(new Date('2026-06-02T00:00:00Z'));
  expect(await seq()).toBe(3);
  await folder.write('bundles.lock.json', await sealed({ seq: 4, expires: '2026-06-01T00:00:00Z' }));
  await refused('expired at 2026-06-01');
  await role.close();
  role = newRole();
  await refused('expired at 2026-06-01');
});

test('wrong key, and one good signature of two', async () => {
  const stranger = await newSigner();
  await folder.write('bundles.lock.json', await sealed({}, [stranger]));
  await refused('signature 1: the seal does not verify');
  await folder.write('bundles.lock.json', await sealed({}, [folder.signer, stranger]));
  await refused('signature 2: the seal does not verify');
});

test('the key of the adapter seals no lock', async () => {
  const jwk = folder.adapterKey;
  const keyid = await thumbprint(publicOf(jwk), nodeCrypto);
  await folder.write('bundles.lock.json', await sealed({}, [{ keyid, jwk }]));
  await refused('signature 1: the seal does not verify');
});

test('a lock from the future is refused, unless it was accepted before the clock went wrong', async () => {
  const issued = '2026-03-01T00:00:00Z';
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-02-01T00:00:00Z') });
  await folder.write('bundles.lock.json', await sealed({ seq: 3, issued }));
  await refused(`was issued at ${issued}, and here it is 2026-02-01T00:00:00`);
  vi.setSystemTime(new Date('2026-02-28T12:00:00Z'));
  expect(await seq()).toBe(3);
  vi.setSystemTime(new Date('1970-01-01T00:00:00Z'));
  expect(await seq()).toBe(3);
});

test('every truncated lock is refused', async () => {
  const text = (await sealed()).trimEnd();
  for (let length = 0; length < text.length; length += 401) {
    await folder.write('bundles.lock.json', text.slice(0, length));
    await refused('bundles.lock.json: this is not');
  }
});

/** Puts a FIFO where a file was; `endless`: with somebody who writes and never closes. */
async function fifo(name: string, endless = false): Promise<void> {
  const path = folder.at(name);
  await rm(path);
  execFileSync('mkfifo', ['-m', '600', path]);
  if (!endless) return;
  const writer: FileHandle = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
  await writer.write('{'.repeat(4096));
  undo.push(() => writer.close());
}

const files = ['bundles.lock.json', 'signers.jwks.json', 'adapter.key.json', 'serverless.yaml'];

test.each([...files.map((name) => ({ name, endless: false })), { name: 'bundles.lock.json', endless: true }])(
  'a FIFO in place of $name (endless: $endless) holds up neither calls nor the poll',
  async ({ name, endless }) => {
    role.start();
    await role.current();
    await rename(folder.at(name), folder.at('kept'));
    await writeFile(folder.at(name), '');
    await fifo(name, endless);
    await vi.waitFor(() => refused(`${name} is not a regular file`, expect.any(String)), { interval: 5 });
    expect(await codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip: '127.0.0.1' })))).toBe('answered');
    await rm(folder.at(name));
    await rename(folder.at('kept'), folder.at(name));
    // a reading that had met the FIFO may still be under way
    await vi.waitFor(async () => expect(await seq()).toBe(1));
  },
);

test('a lock without end is not read: its size is looked at before', async () => {
  await truncate(lockPath(), 2 ** 40);
  await refused('is 1099511627776 bytes long');
  const read = vi.spyOn(Object.getPrototypeOf(await fileHandle()), 'read');
  await refused('is 1099511627776 bytes long');
  // the configuration, the key and the trust file were read, the lock was not
  expect(read.mock.contexts).not.toHaveLength(0);
  expect(new Set(read.mock.contexts).size).toBe(3);
  read.mockRestore();
});

async function fileHandle(): Promise<FileHandle> {
  const handle = await open(folder.configPath);
  undo.push(() => handle.close());
  return handle;
}

/** Two functions of one type, each at its address with its key. */
async function startTwo(): Promise<
  Record<'office' | 'gate', { served: FunctionServer; key: typeof folder.functionKey }>
> {
  const start = async (name: string) => {
    const key = newKey();
    const served = await startFunction({
      adapterKey: folder.adapterKey,
      functionKey: key,
      functionName: `${name}@live`,
    });
    undo.push(() => served.close());
    return { served, key };
  };
  return { office: await start('office'), gate: await start('gate') };
}

const check = async () =>
  await codeOf(role.handle(callOf(IPFilter.method.checkIP, { ip: '198.51.100.7', protocol: 'SSH' })));

test('swapped functions: neither address nor keys of another function are taken', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  undo.push(() => vi.restoreAllMocks());
  const { office, gate } = await startTwo();
  const lock = async (at: typeof office, by: typeof office, next: number) => {
    const other = at === office ? gate : office;
    const functions = {
      'office@live': lockedFunction(at.served.url, by.key),
      'gate@live': lockedFunction(other.served.url, (by === office ? gate : office).key),
    };
    await folder.write(
      'bundles.lock.json',
      await sealLock(lockWith(functions, { seq: next }), [folder.signer]),
    );
    await role.current();
  };
  await lock(office, office, 2);
  expect(await check()).toBe('answered');
  // the entry of one under the name of the other: the function does not take what is addressed to another
  await lock(gate, gate, 3);
  expect(await check()).toBe('UNREACHABLE');
  await lock(office, gate, 4);
  expect(await check()).toBe('ANSWER_REFUSED');
});

test('one key under two functions is no lock', async () => {
  const office = lockedFunction(address, folder.functionKey);
  const both = lockWith({ 'office@live': office, 'gate@live': office });
  await expect(sealLock(both, [folder.signer])).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  // by a signer that does not look
  await folder.write('bundles.lock.json', await sealedAnyhow(both));
  await refused('gate@live.keys.0: this key is listed under office@live too');
});

async function sealedAnyhow(content: unknown): Promise<string> {
  const { GeneralSign, importJWK } = await import('jose');
  const jws = new GeneralSign(new TextEncoder().encode(JSON.stringify(content)));
  jws
    .addSignature(await importJWK({ ...folder.signer.jwk }, 'EdDSA'))
    .setProtectedHeader({ alg: 'EdDSA', kid: folder.signer.keyid, typ: 'sftpgo-plugin-lock+jws' });
  return JSON.stringify(await jws.sign());
}

test('a lock of a newer format names what to do', async () => {
  await folder.write('bundles.lock.json', await sealedAnyhow({ format: 2, seq: 9, modules: [] }));
  await expect(role.current()).rejects.toMatchObject({
    code: 'LOCK_INVALID',
    happened: `${lockPath()} has format 2: a newer release wrote it`,
    remedy: expect.stringContaining('Install that release'),
  });
  expect(await readFile(lockPath(), 'utf8')).toContain('signatures');
});
