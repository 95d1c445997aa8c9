import { chmod, readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sealLock } from '../../proto/lock/seal.ts';
import { newKey } from '../support/keys.ts';
import { lockWith, newSigner } from '../support/role-folder.ts';
import { endingOf } from './columns.ts';
import { type EventsOn, matrix, statusOf } from './matrix.ts';
import { recovers } from './play.ts';
import { type Role, type Stage, startStage } from './stage.ts';
import { mountTinyDisk } from './tiny-disk.ts';

const [config, key, lockFile] = ['serverless.yaml', 'adapter.key.json', 'bundles.lock.json'] as const;
const disk = await mountTinyDisk();
const noDisk = disk ? '' : ' (skipped: needs the right to mount a tmpfs)';
/** Files are looked at every 5 s. */
const noticed = { timeout: 60_000, interval: 200 };
const seq = 5;

let stage: Stage;
beforeAll(async () => {
  vi.spyOn(console, 'warn').mockReturnValue();
  stage = await startStage({
    before: (folder) => rm(folder.at(config)),
    ...(disk ? { state: (column) => `${disk.path}/${column}` } : {}),
  });
});
afterAll(async () => {
  await stage?.close();
  await disk?.close();
  vi.restoreAllMocks();
});

const keyText = ({ folder }: Role) => JSON.stringify(folder.adapterKey);

async function strangersLock({ folder }: Role): Promise<void> {
  await folder.write(lockFile, await sealLock(lockWith({}, { seq: 9 }), [await newSigner()]));
}

async function halve({ folder }: Role, file: string, mode: number): Promise<void> {
  const text = await readFile(folder.at(file), 'utf8');
  await folder.write(file, text.slice(0, text.length >> 1), mode);
}

interface Row {
  /** Spoils a file. */
  readonly begin: (role: Role) => Promise<unknown> | unknown;
  readonly end: (role: Role) => Promise<unknown> | unknown;
  /** What the log has to say of it. */
  readonly says: RegExp;
}

const mendKey: Row['end'] = (role) => role.folder.write(key, keyText(role));
const mendLock: Row['end'] = (role) => role.lock(seq);
const mendConfig: Row['end'] = (role) => role.configure();

const diskIsFull = /lock-seq\.json cannot be used \(ENOSPC\)/;

const atStart: Readonly<Record<EventsOn<'start'>, Row>> = {
  noConfig: { begin: () => undefined, end: mendConfig, says: /serverless\.yaml/ },
  exposedKey: {
    begin: ({ folder }) => chmod(folder.at(key), 0o644),
    end: mendKey,
    says: /adapter\.key\.json/,
  },
  badKey: { begin: (role) => halve(role, key, 0o600), end: mendKey, says: /adapter\.key\.json/ },
  noLock: { begin: ({ folder }) => rm(folder.at(lockFile)), end: mendLock, says: /bundles\.lock\.json/ },
  strangersLock: { begin: strangersLock, end: mendLock, says: /bundles\.lock\.json.*(sign|seal)/ },
  fullDisk: { begin: () => disk?.fill(), end: () => disk?.empty(), says: diskIsFull },
};

const running: Readonly<Record<EventsOn<'files'>, Row>> = {
  configCut: { begin: (role) => halve(role, config, 0o600), end: mendConfig, says: /serverless\.yaml/ },
  configGone: {
    begin: ({ folder }) => rm(folder.at(config)),
    end: mendConfig,
    says: /serverless\.yaml.*(ENOENT|not there|missing)/,
  },
  configWrong: { begin: (role) => role.configure('timeoot: 3s'), end: mendConfig, says: /timeoot/ },
  lockCut: { begin: (role) => halve(role, lockFile, 0o644), end: mendLock, says: /bundles\.lock\.json/ },
  lockGone: {
    begin: ({ folder }) => rm(folder.at(lockFile)),
    end: mendLock,
    says: /bundles\.lock\.json.*(ENOENT|not there|missing)/,
  },
  lockOld: { begin: (role) => role.lock(seq - 1), end: mendLock, says: /has seq 4, but 5 was accepted/ },
  lockForeign: { begin: strangersLock, end: mendLock, says: /bundles\.lock\.json.*sign|seal/ },
  keyCut: { begin: (role) => halve(role, key, 0o600), end: mendKey, says: /adapter\.key\.json/ },
  keyGone: {
    begin: ({ folder }) => rm(folder.at(key)),
    end: mendKey,
    says: /adapter\.key\.json.*(ENOENT|not there|missing)/,
  },
  keyOpen: { begin: ({ folder }) => chmod(folder.at(key), 0o644), end: mendKey, says: /adapter\.key\.json/ },
  diskFills: {
    async begin(role) {
      await disk?.fill();
      await role.lock(seq + 1);
    },
    end: () => disk?.empty(),
    says: diskIsFull,
  },
  keyOther: {
    begin: ({ folder }) => folder.write(key, JSON.stringify(newKey())),
    end: mendKey,
    says: /401, unsigned: it may not know the key/,
  },
};

const expected = (name: keyof typeof matrix) =>
  Object.fromEntries(stage.roles.map(({ column }) => [column, statusOf(matrix[name].ends[column])]));
const endings = async () =>
  Object.fromEntries(
    await Promise.all(stage.roles.map(async ({ column, ask }) => [column, await endingOf(ask())] as const)),
  );
const rows = { ...atStart, ...running };
const rowsOf = <N extends string>(rows: Readonly<Record<N, unknown>>) => Object.keys(rows) as N[];
const needsDisk = ['fullDisk', 'diskFills'];

/** Plays a row; it is over when files are put right, which the next row may do in the same moment. */
async function play(name: EventsOn<'start' | 'files'>): Promise<void> {
  const { begin, end, says } = rows[name];
  const before = new Map(
    stage.roles.map(({ column, lines }) => [column, name === 'noConfig' ? 0 : lines.length]),
  );
  await Promise.all(stage.roles.map(begin));
  const now = async () => {
    const ended = await endings();
    const silent = stage.roles.filter(
      ({ column, lines }) => !lines.slice(before.get(column)).some((line) => says.test(line)),
    );
    return { silent: silent.map(({ column, lines }) => `${column}: ${lines.at(-1)}`), ended };
  };
  await expect.poll(now, noticed).toEqual({ silent: [], ended: expected(name) });
  await Promise.all(stage.roles.map(end));
}

describe('what is wrong at start is refused, by its code, until it is mended', () => {
  test.each(rowsOf(atStart).filter((name) => !needsDisk.includes(name)))('%s', play);
});
describe.skipIf(disk === undefined)(`a full disk at start${noDisk}`, () => {
  test('fullDisk', () => play('fullDisk'));
});
test('mended, all are answered, by the processes that were started', async () => {
  await Promise.all(stage.roles.map(recovers));
});
describe('what becomes wrong while running is an ERROR line; calls are answered', () => {
  test.each(rowsOf(running).filter((name) => !needsDisk.includes(name)))('%s', play);
});
test('mended, all are answered once more', async () => {
  await Promise.all(stage.roles.map(recovers));
});
describe.skipIf(disk === undefined)(`a disk that fills${noDisk}`, () => {
  test('diskFills', () => play('diskFills'));
});
test('mended again, all are answered, by the same processes', async () => {
  await Promise.all(stage.roles.map(recovers));
});
