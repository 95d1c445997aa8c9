import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { startWorkerd } from '../../../test/runtimes/workerd.ts';
import { startEdgeStore } from '../../../test/support/edge-store.ts';

test('workerd: without an etag, the tag is the SHA-256 of all pieces, as on Node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'read-'));
  const entry = join(folder, 'worker.ts');
  await writeFile(
    entry,
    `import { joined, readPlace } from ${JSON.stringify(join(import.meta.dirname, 'read.ts'))};
    export default {
      async fetch(request: Request, env: object) {
        const tag = new URL(request.url).searchParams.get('tag') ?? undefined;
        const read = await readPlace({ kv: 'LISTS', key: 'abuse.txt' }, env, tag);
        if (read === 'unchanged') return new Response(read);
        const { length } = read.pieces;
        return Response.json({ tag: read.tag, length, bytes: joined(read.pieces).length });
      },
    };`,
  );
  await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    outfile: join(folder, 'worker.mjs'),
    external: ['node:*'],
    logLevel: 'error',
  });
  const store = await startEdgeStore();
  const list = '2001:db8:1:2:3:4:5:6\n'.repeat(50_000);
  store.put('abuse.txt', list, {});
  const workerd = await startWorkerd({ module: join(folder, 'worker.mjs'), kv: { LISTS: store.port } });
  try {
    const first = await (await fetch(workerd.url)).json();
    const tag = createHash('sha256').update(list).digest('hex');
    expect(first).toMatchObject({ tag, bytes: list.length });
    expect((first as { length: number }).length).toBeGreaterThan(1);
    expect(await (await fetch(`${workerd.url}/?tag=${tag}`)).text()).toBe('unchanged');
  } finally {
    await workerd.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
});
