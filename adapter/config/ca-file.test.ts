import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRoleFolder } from '../../test/support/role-folder.ts';
import { createCertificate } from '../goplugin/server/certificate.ts';
import { readCaFile } from './ca-file.ts';
import { loadRole } from './load-role.ts';

const { certPem } = createCertificate();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ca-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

async function read(text: string): Promise<string> {
  const path = join(folder, 'ca.pem');
  await writeFile(path, text, { mode: 0o644 });
  return (await readCaFile(path)).text;
}

test('one certificate, or several with words between them', async () => {
  expect(await read(certPem)).toBe(certPem);
  const bundle = `# ours\n${certPem}\n# theirs\n${certPem}`;
  expect(await read(bundle)).toBe(bundle);
});

test.each([
  ['empty', '', 'no certificate'],
  ['something else', 'hello', 'no certificate'],
  ['cut off', certPem.slice(0, 200), 'a broken certificate'],
  ['cut off in the second one', certPem + certPem.slice(0, 200), 'a broken certificate'],
  ['damaged', certPem.replace(/\n.{20}/, '\nAAAA'), 'a broken certificate'],
])('a file that is %s is said to be', async (_, text, problem) => {
  await expect(read(text)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: `the CA file ${join(folder, 'ca.pem')} holds ${problem}`,
  });
});

test('a role is not loaded with such a file', async () => {
  const role = await makeRoleFolder('https://127.0.0.1:1');
  try {
    await role.configure([], ['https: { ca: ca.pem }']);
    await role.write('ca.pem', '');
    await expect(loadRole(role.configPath, 'ipfilter')).rejects.toThrow('holds no certificate');
    await role.write('ca.pem', certPem);
    expect((await loadRole(role.configPath, 'ipfilter')).caPem).toBe(certPem);
  } finally {
    await role.remove();
  }
});
