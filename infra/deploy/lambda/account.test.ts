import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountOfCaller } from './account.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'account-'));
  await write('node_modules/osls/package.json', '{"name":"osls","version":"4.3.1","bin":"bin/osls.js"}');
  await write('node_modules/osls/bin/osls.js', '');
});
afterEach(async () => await rm(folder, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** The SDK that osls brings along, on an STS that answers so, or that says no. */
async function ask(answer: { Account?: string; error?: string }): Promise<string> {
  await write(
    'node_modules/osls/node_modules/@aws-sdk/client-sts/index.js',
    `const answer = ${JSON.stringify(answer)};
     exports.GetCallerIdentityCommand = class {};
     exports.STSClient = class {
       async send() {
         if (answer.error) throw Object.assign(new Error('no'), { name: answer.error });
         return answer;
       }
       destroy() {}
     };`,
  );
  return await accountOfCaller(folder, { region: 'eu-central-1' });
}

test('the account is the one of the credentials', async () => {
  expect(await ask({ Account: '123456789012' })).toBe('123456789012');
});

test.each([
  [{ error: 'ExpiredToken' }, 'AWS forbids it in eu-central-1'],
  [{}, 'AWS did not say whose credentials these are'],
])('without one, nothing is taken for it: %o', async (answer, happened) => {
  await expect(ask(answer)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    happened: expect.stringContaining(happened),
  });
});
