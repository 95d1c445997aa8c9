import { homedir } from 'node:os';

type Environment = Record<string, string | undefined>;

/**
 * Makes the process's environment one that the AWS SDK can live in.
 *
 * SFTPGo hands on variables that are not set as empty ones, and the SDK takes an empty AWS_PROFILE or AWS_REGION for
 * a value: they are removed. HOME is missing under SFTPGo; where the user has no entry in the password file either,
 * the SDK's search for ~/.aws would throw: `/` has none.
 */
export function prepareEnvironment(env: Environment = process.env, home: () => string = homedir): void {
  for (const name of Object.keys(env)) {
    if (name.startsWith('AWS_') && env[name] === '') delete env[name];
  }
  if (env['HOME']) return;
  try {
    home();
  } catch {
    env['HOME'] = '/';
  }
}
