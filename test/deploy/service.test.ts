import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { usersTable } from '../../functions/auth/tables.ts';
import { metadataTable } from '../../functions/metadata/tables.ts';
import { eventsTable, eventsTtl } from '../../functions/notifier/tables.ts';
import { buildFunction, codeSha256Of } from '../../infra/build/function.ts';
import { manifestOf } from '../../infra/build/manifest.ts';
import { plannedFunction } from '../../infra/deploy/lambda/template.ts';
import { type ProjectFunction, readProject } from '../../infra/deploy/project.ts';
import { newKey, publicOf } from '../support/keys.ts';
import { deployTools } from './worker-project.ts';

const root = join(import.meta.dirname, '../..');

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}

let folder: string;
let functions: readonly ProjectFunction[];
const built = new Map<string, Awaited<ReturnType<typeof buildFunction>>>();
let resources: Record<string, Resource>;
let service: { functions: Record<string, { name: string }> };

/** What the repository itself deploys, packaged by osls without network, credentials or variables of the shell. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'service-'));
  const at = (name: string) => join(folder, name);
  functions = (await readProject(root)).functions.filter(({ target }) => target === 'lambda');
  for (const { name, entry } of functions) {
    built.set(name, await buildFunction({ entry, name, outDir: at('out'), targets: ['lambda'] }));
  }
  await cp(join(root, 'serverless.yml'), at('serverless.yml'));
  await cp(join(root, 'infra/aws'), at('infra/aws'), { recursive: true });
  await mkdir(at('node_modules'));
  await symlink(join(await deployTools(), 'node_modules/osls'), at('node_modules/osls'));
  const PLUGIN_CALLERS = JSON.stringify({ keys: [publicOf(newKey())] });
  await promisify(execFile)(process.execPath, ['node_modules/osls/bin/serverless.js', 'package'], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, PLUGIN_CALLERS },
  });
  const read = async (file: string) => JSON.parse(await readFile(at(`.serverless/${file}`), 'utf8'));
  resources = (await read('cloudformation-template-update-stack.json')).Resources;
  service = (await read('serverless-state.json')).service;
});
afterAll(async () => await rm(folder, { recursive: true }));

const ofType = (type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);
const statementsOf = (id: string): Statement[] => {
  const properties = resources[id]?.Properties ?? {};
  const policies = (properties['Policies'] as { PolicyDocument: unknown }[] | undefined) ?? [properties];
  return policies.flatMap((policy) => Object(policy)['PolicyDocument'].Statement);
};
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

test("every function is in the template as the build made it: CodeSha256 is the manifest's digest", () => {
  expect(functions.map(({ name }) => name)).toEqual(Object.keys(service.functions));
  for (const fn of functions) {
    const manifest = manifestOf(fn.name, built.get(fn.name) as Awaited<ReturnType<typeof buildFunction>>);
    const deployed = { ...fn, builtIn: join(folder, 'out'), manifest, locked: undefined };
    const plan = plannedFunction(
      { region: '', stack: '', functions: service.functions, resources },
      deployed,
    );
    const zip = manifest.artifacts.find(({ runtime }) => runtime === 'lambda');
    expect(plan.codeSha256).toBe(codeSha256Of(zip?.sha256 ?? ''));
    expect(plan.config).toMatchObject({ architecture: 'arm64', runtime: 'nodejs24.x', layers: 'none' });
  }
});

test('every function has a role of its own, a limit of its own, and a log that ends', () => {
  const roles = ofType('AWS::Lambda::Function').map(([, { Properties }]) =>
    JSON.stringify(Properties['Role']),
  );
  expect(new Set(roles).size).toBe(functions.length);
  expect(Object.keys(resources)).not.toContain('IamRoleLambdaExecution');
  for (const [, { Properties }] of ofType('AWS::Lambda::Function')) {
    expect(Properties['ReservedConcurrentExecutions']).toBeGreaterThan(0);
  }
  for (const [, { Properties }] of ofType('AWS::Logs::LogGroup'))
    expect(Properties['RetentionInDays']).toBe(30);
  expect(ofType('AWS::Logs::LogGroup')).toHaveLength(functions.length);
});

test('no role has a wildcard but for the streams of its own log, and no action ends in one', () => {
  for (const [id] of ofType('AWS::IAM::Role')) {
    for (const { Action, Resource, Effect } of statementsOf(id)) {
      expect(Effect).toBe('Allow');
      expect(JSON.stringify(Action)).not.toContain('*');
      for (const resource of listOf(Resource)) {
        const text = JSON.stringify(resource);
        if (listOf(Action).every((action) => String(action).startsWith('logs:'))) {
          expect(text).toMatch(/log-group:\/aws\/lambda\/sftpgo-plugins-live-[a-z]+:\*"/);
        } else expect(text).not.toContain('*');
      }
    }
  }
});

test('a role reads the key of its own function, and no other', () => {
  for (const { name } of functions) {
    const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
    const text = JSON.stringify(statementsOf(id));
    expect(text).toContain(`parameter/sftpgo/live/${name}"`);
    expect(text.match(/parameter\//g)).toHaveLength(1);
    expect(text.match(/log-group:/g)).toHaveLength(1);
    expect(text).toContain(`/aws/lambda/sftpgo-plugins-live-${name}:*`);
  }
});

test('the adapter may call versions by number and read them, is denied $LATEST and the bare name, and nothing else', () => {
  const [allow, deny, ...more] = statementsOf('AdapterPolicy');
  expect(more).toEqual([]);
  const names = functions.map(({ name }) => service.functions[name]?.name);
  const arns = (statement: Statement | undefined) =>
    listOf(statement?.Resource).map((arn) =>
      basename(String(Object(arn)['Fn::Sub'])).replace(/^.*:function:/, ''),
    );
  expect(allow).toMatchObject({
    Effect: 'Allow',
    Action: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
  });
  expect(arns(allow)).toEqual(names.map((name) => `${name}:*`));
  expect(deny).toMatchObject({ Effect: 'Deny', Action: 'lambda:InvokeFunction' });
  expect(arns(deny)).toEqual(names.flatMap((name) => [name, `${name}:$LATEST`]));
});

test('no variable holds a secret: names and public keys only', () => {
  for (const [, { Properties }] of ofType('AWS::Lambda::Function')) {
    const variables: Record<string, unknown> = Object(Properties['Environment'])['Variables'];
    const { PLUGIN_CALLERS: callers, ...others } = variables;
    expect(JSON.parse(String(callers)).keys.every((key: object) => !('d' in key))).toBe(true);
    for (const [name, value] of Object.entries(others)) {
      expect(name).toMatch(/^(?:PLUGIN_FUNCTION|PLUGIN_KEY_PARAMETER|[A-Z]+_TABLE)$/);
      expect(JSON.stringify(value)).toMatch(
        /^"[a-z]+@live"$|^"\/sftpgo\/live\/[a-z]+"$|^\{"Ref":"[A-Za-z]+Table"\}$/,
      );
    }
  }
});

test.each([
  ['UsersTable', usersTable],
  ['EventsTable', eventsTable],
  ['MetadataTable', metadataTable],
])('%s is the table that the functions expect, and outlives the stack', (id, { TableName, ...expected }) => {
  expect(resources[id]).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  expect(resources[id]?.Properties).toMatchObject({ ...expected, TableName: `${TableName}-live` });
});

test('events end, the key of secrets turns and outlives the stack, and alarms watch every function', () => {
  expect(resources['EventsTable']?.Properties['TimeToLiveSpecification']).toEqual(eventsTtl);
  expect(resources['SecretsKey']).toMatchObject({
    DeletionPolicy: 'Retain',
    Properties: { EnableKeyRotation: true },
  });
  expect(resources['SecretsKeyAlias']?.Properties['AliasName']).toBe('alias/sftpgo');
  for (const id of ['ErrorsAlarm', 'ThrottlesAlarm']) {
    const text = JSON.stringify(resources[id]?.Properties);
    for (const { name } of functions) expect(text).toContain(`"${service.functions[name]?.name}"`);
    expect(text).toContain('{"Ref":"AlarmTopic"}');
  }
});
