import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cloudflare, startCloudflare } from '../runtimes/cloudflare-api.ts';
import { type AuthorProject, openAuthorProject, partOfPage, testBlocks } from './author-project.ts';

/** The commands of the page, against the test server of Cloudflare's API in the place of an account. */
describe('docs/deploy.md on Cloudflare', () => {
  let cloudflare: Cloudflare;
  let project: AuthorProject;

  beforeAll(async () => {
    cloudflare = await startCloudflare();
    const { token, account, url } = cloudflare;
    project = await openAuthorProject([
      `export CLOUDFLARE_API_TOKEN=${token} CLOUDFLARE_ACCOUNT_ID=${account} CLOUDFLARE_API_BASE_URL=${url}`,
      // for the one command of the page that runs wrangler itself: offline, and without telemetry
      'export WRANGLER_SEND_METRICS=false WRANGLER_HIDE_BANNER=true CI=true',
    ]);
  });
  afterAll(async () => {
    await project?.close();
    await cloudflare?.close();
  });

  testBlocks(partOfPage('docs/deploy.md', 'Cloudflare Workers'), () => project);

  test('the function was called meanwhile, by somebody without a key, and wrote a line', async () => {
    const url = await cloudflare.urlOf('sftpgo-office');
    const { status } = await fetch(`${url}/proto.IPFilter/CheckIP`, { method: 'POST', body: '{}' });
    expect(status).toBeGreaterThanOrEqual(400);
    await vi.waitFor(() => expect(cloudflare.output('sftpgo-office')).not.toBe(''), 30_000);
  });
  testBlocks(partOfPage('docs/deploy.md', 'Logs'), () => project, { moreThan: 1 });

  test('in the end the first version is the only one again, five locks later, and has all calls', async () => {
    const { seq, functions } = await project.lock();
    const worker = cloudflare.workers.get('sftpgo-office');
    const first = worker?.versions[0]?.id;
    const { address, accepts = [] } = functions['office@live'] ?? {};
    expect([seq, address, accepts.map(({ version }) => version)]).toEqual([
      5,
      'https://sftpgo-office.acme.workers.dev',
      [first],
    ]);
    expect(worker?.deployments[0]?.versions).toEqual([{ version_id: first, percentage: 100 }]);
    expect(worker?.subdomain).toEqual({ enabled: true, previews_enabled: false });
  });
});
