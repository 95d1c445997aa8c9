import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentClient } from '../../functions/dynamo/client.ts';
import { call } from '../../functions/kit/test.ts';
import { storeTimes } from '../../functions/metadata/index.ts';
import { fileKey, folderKey } from '../../functions/metadata/keys.ts';
import { metadataTable } from '../../functions/metadata/tables.ts';
import { type FileInFolder, listFolders, removeTime, writeTime } from '../../functions/metadata/times.ts';
import { type Dynamo, startDynamo } from '../support/dynamo.ts';

let dynamo: Dynamo;
let tables = 0;

beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.close());

/** A metadata plugin over a table of its own. */
async function timesStore() {
  const table = `times-${++tables}`;
  await dynamo.create({ ...metadataTable, TableName: table });
  return call(storeTimes({ client: dynamo.client, table }));
}

const storageId = 's3://bucket';

test('times are set, replaced, read exactly, listed by folder and forgotten', async () => {
  const times = await timesStore();
  const path = '/a/b.txt';
  expect(await times.getModificationTime({ storageId, path })).toBeUndefined();
  await times.setModificationTime({ storageId, path, modificationTimeMs: 1n });
  await times.setModificationTime({ storageId, path, modificationTimeMs: 9_223_372_036_854_775_807n });
  await times.setModificationTime({ storageId, path: '/a/__proto__', modificationTimeMs: 0n });
  await times.setModificationTime({ storageId, path: '/a/c/d', modificationTimeMs: -2n });
  await times.setModificationTime({ storageId, path: '/root', modificationTimeMs: 3n });
  await times.setModificationTime({ storageId: 's3://other', path, modificationTimeMs: 4n });
  expect(await times.getModificationTime({ storageId, path })).toBe(9_223_372_036_854_775_807n);
  expect(await times.getModificationTime({ storageId, path: '/a/__proto__' })).toBe(0n);
  expect(Object.entries(await times.getModificationTimes({ storageId, folder: '/a' }))).toEqual([
    ['__proto__', 0n],
    ['b.txt', 9_223_372_036_854_775_807n],
  ]);
  expect(await times.getModificationTimes({ storageId, folder: '/' })).toEqual({ root: 3n });
  expect(await times.getModificationTimes({ storageId, folder: '/nowhere' })).toEqual({});
  expect(await times.getFolders({ storageId })).toEqual(['/', '/a', '/a/c']);
  await times.removeMetadata({ storageId, path: '/a/c/d' });
  await times.removeMetadata({ storageId, path: '/a/c/d' });
  await times.removeMetadata({ storageId, path });
  expect(await times.getModificationTime({ storageId, path })).toBeUndefined();
  expect(await times.getFolders({ storageId })).toEqual(['/', '/a']);
  expect(await times.getModificationTime({ storageId: 's3://other', path })).toBe(4n);
});

test('folders come in pages, by their bytes, each once', async () => {
  const times = await timesStore();
  const folders = Array.from(
    { length: 230 },
    (_, index) => `/f${index % 2 ? '\u{1f600}' : '\uff5e'}${index}`,
  );
  for (let start = 0; start < folders.length; start += 23) {
    await Promise.all(
      folders
        .slice(start, start + 23)
        .map((folder) =>
          times.setModificationTime({ storageId, path: `${folder}/file`, modificationTimeMs: 1n }),
        ),
    );
  }
  const seen: string[] = [];
  let page: readonly string[] = [];
  do {
    page = await times.getFolders({ storageId, limit: 100, from: page.at(-1) ?? '' });
    seen.push(...page);
  } while (page.length === 100);
  expect(seen).toEqual(folders.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  expect(await times.getFolders({ storageId, limit: 0 })).toEqual(seen);
});

test('files that come and go at once leave their folder listed exactly when one is left', async () => {
  const times = await timesStore();
  for (let round = 0; round < 10; round += 1) {
    const folder = `/round${round}`;
    await times.setModificationTime({ storageId, path: `${folder}/old`, modificationTimeMs: 1n });
    await Promise.all([
      times.removeMetadata({ storageId, path: `${folder}/old` }),
      times.setModificationTime({ storageId, path: `${folder}/new`, modificationTimeMs: 2n }),
      times.removeMetadata({ storageId, path: `${folder}/never` }),
    ]);
    expect(await times.getFolders({ storageId })).toContain(folder);
    await Promise.all([
      times.removeMetadata({ storageId, path: `${folder}/new` }),
      times.removeMetadata({ storageId, path: `${folder}/new` }),
    ]);
    expect(await times.getFolders({ storageId })).toEqual([]);
  }
});

test('a file that comes while its folder is being taken out of the list stays listed, wherever it comes in', async () => {
  const table = `times-${++tables}`;
  await dynamo.create({ ...metadataTable, TableName: table });
  const signal = AbortSignal.timeout(10_000);
  const client = documentClient({ client: dynamo.client });
  const keys = (path: string) => {
    const [file, folder] = [fileKey(storageId, path), folderKey(storageId, path)];
    if (!file || !folder) throw new Error('no keys');
    return { file, folder };
  };
  // a removal has four steps; before each of them another node may set a time, wholly or by its first half only
  for (const step of [1, 2, 3, 4]) {
    for (const cut of [false, true]) {
      const [old, anew] = [keys(`/${step}${cut}/old`), keys(`/${step}${cut}/new`)];
      await writeTime({ client, table, signal }, old, 1n);
      let steps = 0;
      let rest = async () => {};
      const between = new Proxy(client, {
        get(target, name) {
          if (name !== 'send') return Reflect.get(target, name);
          return async (command: Parameters<typeof target.send>[0]) => {
            steps += 1;
            if (steps === step) rest = await writeCut(anew, cut);
            return await target.send(command);
          };
        },
      });
      await removeTime({ client: between, table, signal }, old);
      await rest();
      expect(
        await listFolders({ client, table, signal }, `folders\n${storageId}`, { limit: undefined, from: '' }),
      ).toContain(`/${step}${cut}`);
    }
  }

  /** Sets a time; `cut`: stops after the first of its two writes, and gives what remains to be done. */
  async function writeCut(file: FileInFolder, cut: boolean): Promise<() => Promise<void>> {
    if (!cut) {
      await writeTime({ client, table, signal }, file, 2n);
      return async () => {};
    }
    const first = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let writes = 0;
    const halting = new Proxy(client, {
      get(target, name) {
        if (name !== 'send') return Reflect.get(target, name);
        return async (command: Parameters<typeof target.send>[0]) => {
          writes += 1;
          if (writes === 2) {
            first.resolve();
            await go.promise;
          }
          return await target.send(command);
        };
      },
    });
    const whole = writeTime({ client: halting, table, signal }, file, 2n);
    await first.promise;
    return async () => {
      go.resolve();
      await whole;
    };
  }
});

test('a path that DynamoDB cannot hold has no time, and cannot get one', async () => {
  const times = await timesStore();
  for (const path of ['', 'relative', '/a/', `/${'n'.repeat(1025)}`, `/${'n'.repeat(2100)}/x`]) {
    await expect(
      times.setModificationTime({ storageId, path, modificationTimeMs: 1n }),
      path,
    ).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await times.getModificationTime({ storageId, path })).toBeUndefined();
    await times.removeMetadata({ storageId, path });
  }
  expect(await times.getModificationTimes({ storageId, folder: `/${'n'.repeat(2100)}` })).toEqual({});
  await expect(times.getFolders({ storageId: '' })).rejects.toMatchObject({ code: 'invalid_argument' });
});
