import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcError } from '../../adapter/goplugin/grpc-error.ts';
import { launch, type PluginClient } from '../../adapter/goplugin/host/launch.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { pluginTypes } from '../../proto/plugin-types.ts';
import { type Cloudflare, startCloudflare } from '../runtimes/cloudflare-api.ts';
import { type AuthorProject, openAuthorProject, partOfPage, testBlocks } from './author-project.ts';
import { type FileStep, stepsOf } from './blocks.ts';

const page = 'docs/ipfilter.md';
const part = partOfPage(page, 'Two countries, and not that list', 'Onto Cloudflare, and into SFTPGo');

/** Of Germany and Austria, and a private one. */
const admitted = ['193.99.144.80', '131.130.1.11', '2001:638::1', '10.1.2.3'];
/** Of the list, and of elsewhere. */
const refused = ['198.51.100.7', '203.0.113.99', '2001:db8:bad::1', '8.8.8.8', '2001:4860:4860::8888'];
const permissionDenied = 7;

/** From nothing to an answer of the page's own Worker; the test server of Cloudflare's API stands for the account. */
describe(page, () => {
  let cloudflare: Cloudflare;
  let project: AuthorProject;
  let plugin: PluginClient | undefined;
  /** Where the Worker answers on this machine: nobody finds its address under workers.dev. */
  let address: string;

  beforeAll(async () => {
    cloudflare = await startCloudflare();
    const { token, account: id, url } = cloudflare;
    address = await cloudflare.urlOf('sftpgo-gate');
    project = await openAuthorProject([
      `export CLOUDFLARE_API_TOKEN=${token} CLOUDFLARE_ACCOUNT_ID=${id} CLOUDFLARE_API_BASE_URL=${url}`,
      'export WRANGLER_SEND_METRICS=false WRANGLER_HIDE_BANNER=true CI=true',
    ]);
  });
  afterAll(async () => {
    await plugin?.kill();
    await project?.close();
    await cloudflare?.close();
  });

  const standIn = ({ name, text }: FileStep) =>
    name === 'gate.wrangler.jsonc'
      ? text.replace('{\n', `{\n  "vars": { "PLUGIN_URL": "${address}" },\n`)
      : text;
  testBlocks(part, () => project, { standIn });

  /** \`answered\`, or the gRPC code of the error. */
  async function ask(ip: string): Promise<string> {
    if (plugin === undefined) throw new Error('no plugin');
    return await plugin.call(IPFilter.method.checkIP, { ip, protocol: 'SSH' }, { timeoutMs: 20_000 }).then(
      () => 'answered',
      (error: unknown) => (error instanceof GrpcError ? `gRPC ${error.grpcCode}` : String(error)),
    );
  }

  test('the printed entry, started as SFTPGo does: two countries come in, the list and the others do not', async () => {
    const printed = await project.terminal.run(
      'npx sftpgo-plugin-serverless host-config --config serverless.yaml',
    );
    const [entry] = JSON.parse(printed.stdout).plugins;
    const [name, value] = pluginTypes.ipfilter.cookie;
    plugin = await launch({
      cmd: entry.cmd,
      args: entry.args,
      sha256: entry.sha256sum,
      env: { SFTPGO_PLUGIN_SERVERLESS_NODE: process.execPath },
      cookie: { name, value },
      versions: [1],
    });
    const verdicts: string[] = [];
    for (const ip of [...admitted, ...refused]) verdicts.push(`${ip} ${await ask(ip)}`);
    expect(verdicts).toEqual([
      ...admitted.map((ip) => `${ip} answered`),
      ...refused.map((ip) => `${ip} gRPC ${permissionDenied}`),
    ]);
  });

  test("a list that is put again by the page's command counts after a Reload", async () => {
    const put = stepsOf(part).flatMap((step) =>
      step.kind === 'command' ? step.text.split('\n').filter((line) => line.includes('put abuse.txt')) : [],
    );
    expect(put).toHaveLength(2);
    await writeFile(join(project.folder, 'abuse.txt'), '193.99.144.0/24\n');
    const ran = await project.terminal.run(put[1] ?? '');
    expect(ran.exitCode, ran.stderr).toBe(0);
    await plugin?.call(IPFilter.method.reload, {}, { timeoutMs: 20_000 });
    expect([await ask('193.99.144.80'), await ask('131.130.1.11')]).toEqual([
      `gRPC ${permissionDenied}`,
      'answered',
    ]);
  });
});
