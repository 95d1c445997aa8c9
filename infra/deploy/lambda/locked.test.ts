import * as lambdaSdk from '@aws-sdk/client-lambda';
import * as ssmSdk from '@aws-sdk/client-ssm';
import { expect, test } from 'vitest';
import type { LockedFunction } from '../../../proto/lock/schema.ts';
import type { AwsClients } from './clients.ts';
import { checkRename, lockedHere } from './locked.ts';
import type { PlannedFunction } from './template.ts';

const region = 'eu-central-1';
const arnOf = (name: string, place = region, account = '123456789012') =>
  `arn:aws:lambda:${place}:${account}:function:${name}`;
const locked = (address: string) => ({ target: 'lambda', address }) as LockedFunction;
const named = (functionName: string) => ({ functionName }) as PlannedFunction;

/** An AWS, of the account 123456789012, with these functions, by name, each with its ARN and the stack that made it. */
function awsWith(functions: Readonly<Record<string, { arn: string; stack?: string }>>): AwsClients {
  const settings = { region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const lambda = new lambdaSdk.LambdaClient(settings);
  lambda.middlewareStack.add(
    () => async (args) => {
      const input: { FunctionName?: string; Resource?: string } = Object(args.input);
      const found = Object.entries(functions).find(
        ([name, { arn }]) => name === input.FunctionName || arn === input.Resource,
      )?.[1];
      if (found === undefined) throw Object.assign(new Error('none'), { name: 'ResourceNotFoundException' });
      const Tags = found.stack === undefined ? {} : { 'aws:cloudformation:stack-name': found.stack };
      const output = { $metadata: {}, Version: '$LATEST', FunctionArn: `${found.arn}:$LATEST`, Tags };
      return { output: output as never, response: {} };
    },
    { step: 'initialize' },
  );
  const ssm = new ssmSdk.SSMClient(settings);
  return { region, lambda, lambdaSdk, ssmSdk, ssm, account: async () => '123456789012' };
}

test.each<[string, Parameters<typeof awsWith>[0], LockedFunction | undefined, boolean]>([
  ['the same function', { office: { arn: arnOf('office') } }, locked(arnOf('office')), true],
  ['one that was deleted, and comes back', {}, locked(arnOf('office')), true],
  ['nothing', {}, undefined, false],
  ['one in another region', {}, locked(arnOf('office', 'eu-west-1')), false],
  ['one of another name', { office: { arn: arnOf('office') } }, locked(arnOf('team')), false],
  [
    'one of another account',
    { office: { arn: arnOf('office', region, '999999999999') } },
    locked(arnOf('office')),
    false,
  ],
  [
    'one of another account, and there is none in this one yet',
    {},
    locked(arnOf('office', region, '999999999999')),
    false,
  ],
  [
    'no function of Lambda',
    {},
    { target: 'worker', address: 'https://office.example' } as LockedFunction,
    false,
  ],
])('the lock has %s', async (_, functions, entry, isHere) => {
  expect(await lockedHere(awsWith(functions), named('office'), entry)).toBe(isHere ? entry : undefined);
});

const stack = { stack: 'net-live' };
const fn = (address: string) => ({ id: 'office@live', locked: locked(address) });

test('a name that changes in its stack is refused: CloudFormation deletes the function that the host calls', async () => {
  const aws = awsWith({ old: { arn: arnOf('old'), stack: 'net-live' } });
  await expect(checkRename(aws, stack, named('new'), fn(arnOf('old')))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    happened: expect.stringContaining('would delete old, which the host calls'),
  });
});

test.each<[string, Parameters<typeof awsWith>[0], string, string]>([
  ['stays', { old: { arn: arnOf('old'), stack: 'net-live' } }, 'old', arnOf('old')],
  ['is one of another stack', { old: { arn: arnOf('old'), stack: 'other-live' } }, 'new', arnOf('old')],
  ['was made by hand', { old: { arn: arnOf('old') } }, 'new', arnOf('old')],
  ['is gone already', {}, 'new', arnOf('old')],
  [
    'is in another region',
    { old: { arn: arnOf('old'), stack: 'net-live' } },
    'new',
    arnOf('old', 'eu-west-1'),
  ],
  [
    'is of another account',
    { old: { arn: arnOf('old'), stack: 'net-live' } },
    'new',
    arnOf('old', region, '999999999999'),
  ],
])('a name is free to change where the function before it %s', async (_, functions, name, address) => {
  await expect(checkRename(awsWith(functions), stack, named(name), fn(address))).resolves.toBeUndefined();
});
