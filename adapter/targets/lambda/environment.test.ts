import { expect, test } from 'vitest';
import { prepareEnvironment } from './environment.ts';

test('empty AWS variables are removed, set ones and those of others stay', () => {
  const env = { AWS_PROFILE: '', AWS_REGION: 'eu-central-1', AWS_: '', EMPTY: '', HOME: '/home/sftpgo' };
  prepareEnvironment(env);
  expect(env).toEqual({ AWS_REGION: 'eu-central-1', EMPTY: '', HOME: '/home/sftpgo' });
});

test('a user whom the system does not know gets a home without files, others keep theirs', () => {
  const unknown = () => {
    throw new Error('ENOENT: no entry in the password file');
  };
  const missing: Record<string, string> = {};
  prepareEnvironment(missing, unknown);
  const known: Record<string, string> = {};
  prepareEnvironment(known, () => '/home/sftpgo');
  expect([missing, known]).toEqual([{ HOME: '/' }, {}]);
});
