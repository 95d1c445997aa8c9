import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMoto, type MotoServer, startMoto } from '../support/moto.ts';
import { type AuthorProject, openAuthorProject, partOfPage, testBlocks } from './author-project.ts';

const found = await findMoto();
const skipped = 'skipped' in found ? ` (${found.skipped})` : '';

/** The commands of the page, against moto in the place of an account. */
describe.skipIf('skipped' in found)(`docs/deploy.md on AWS${skipped}`, () => {
  let moto: MotoServer;
  let project: AuthorProject;

  beforeAll(async () => {
    moto = await startMoto('program' in found ? found.program : '');
    project = await openAuthorProject([
      `export AWS_ENDPOINT_URL=${moto.url} AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=test`,
    ]);
  });
  afterAll(async () => {
    await project?.close();
    await moto?.close();
  });

  testBlocks(partOfPage('docs/deploy.md', 'AWS Lambda'), () => project);

  test('in the end the first version is the only one again, five locks later', async () => {
    const { seq, functions } = await project.lock();
    expect([seq, functions['office@live']?.accepts.map(({ version }) => version)]).toEqual([5, ['1']]);
  });
});
