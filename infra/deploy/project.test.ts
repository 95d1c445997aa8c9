import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readProject, selectFunctions } from './project.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'project-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const write = async (text: string) => await writeFile(join(folder, 'serverless.yml'), text);

const both = `service: sftpgo
custom:
  plugins:
    office: { entry: office.ts, target: worker, config: office.wrangler.jsonc }
    team: { entry: src/team.ts, target: lambda }
resources:
  Outputs: { Arn: !GetAtt TeamRole.Arn, Name: !Sub 'x-\${AWS::Region}', All: !Join ['', [a, b]] }
`;

test('the functions of a project, with their files beside serverless.yml', async () => {
  await write(both);
  expect(await readProject(folder)).toEqual({
    folder,
    file: 'serverless.yml',
    functions: [
      {
        name: 'office',
        stage: 'live',
        id: 'office@live',
        entry: join(folder, 'office.ts'),
        target: 'worker',
        config: join(folder, 'office.wrangler.jsonc'),
      },
      { name: 'team', stage: 'live', id: 'team@live', entry: join(folder, 'src/team.ts'), target: 'lambda' },
    ],
  });
});

test('a project with Workers only needs nothing else in the file', async () => {
  await write('custom: { plugins: { office: { entry: office.ts, target: worker, config: w.jsonc } } }');
  expect((await readProject(folder, 'beta')).functions.map(({ id }) => id)).toEqual(['office@beta']);
});

test('functions are chosen by name, by name@stage and by target', async () => {
  await write(both);
  const project = await readProject(folder);
  const ids = (...given: Parameters<typeof selectFunctions>) => selectFunctions(...given).map(({ id }) => id);
  expect(ids(project, [])).toEqual(['office@live', 'team@live']);
  expect(ids(project, ['team@live'])).toEqual(['team@live']);
  expect(ids(project, [], 'worker')).toEqual(['office@live']);
  expect(() => selectFunctions(project, ['ofice'])).toThrow('Did you mean office?');
  expect(() => selectFunctions(project, ['team@beta'])).toThrow('has no function team@beta');
});

test('a target that none of them is on is a mistake: a command about nothing must not succeed', async () => {
  await write(both);
  const project = await readProject(folder);
  expect(() => selectFunctions(project, ['office'], 'lambda')).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      happened: expect.stringContaining('serverless.yml has office@live on another target'),
    }),
  );
});

const plugin = (text: string) => `custom:\n  plugins:\n    office: ${text}\n`;

test.each([
  ['no YAML', 'custom: [', /^serverless\.yml:\d+: /],
  ['no functions', 'service: sftpgo\n', /custom\.plugins names no function/],
  [
    'an empty list of them',
    'custom: { plugins: {} }\n',
    /^serverless\.yml:1: custom\.plugins names no function/,
  ],
  [
    'a name in upper case',
    'custom:\n  plugins:\n    Office: {}\n',
    /^serverless\.yml:3: .*Office is no name/,
  ],
  ['a file instead of settings', plugin('office.ts'), /^serverless\.yml:3: .*office is no map/],
  ['no entry', plugin('{ target: lambda }'), /^serverless\.yml:3: .*office\.entry is missing/],
  ['a number', plugin('{ entry: 1, target: lambda }'), /office\.entry is no text/],
  ['no target', plugin('{ entry: a.ts }'), /office\.target is missing/],
  ['another cloud', plugin('{ entry: a.ts, target: azure }'), /office\.target is azure/],
  ['a Worker without its settings', plugin('{ entry: a.ts, target: worker }'), /office\.config is missing/],
  [
    'settings of a Worker',
    plugin('{ entry: a.ts, target: lambda, config: w.jsonc }'),
    /office\.config is for/,
  ],
  [
    'a mistyped key',
    plugin('\n      entry: a.ts\n      targt: lambda'),
    /^serverless\.yml:5: .*targt is unknown/,
  ],
])('%s is refused with its line', async (_, text, happened) => {
  await write(text);
  await expect(readProject(folder)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringMatching(happened),
  });
});

test('a folder without the file, and a stage that is none', async () => {
  await expect(readProject(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await write(both);
  await expect(readProject(folder, 'Live')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});
