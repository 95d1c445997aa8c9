import { PluginError } from '../../../proto/error.ts';

/** A login that the answer would give more than it may. The texts name fields of SFTPGo, never their values. */
export function grantRefused(happened: string, expected: string): PluginError {
  return new PluginError('GRANT_REFUSED', {
    happened,
    expected,
    remedy: 'Correct the function, or widen auth.ceiling in the configuration of the adapter: docs/auth.md.',
  });
}

/** A verified answer that breaks the contract of auth answers. */
export function answerInvalid(happened: string, expected: string): PluginError {
  return new PluginError('ANSWER_INVALID', {
    happened,
    expected,
    remedy: 'Correct the function: its signature is good, its content is not.',
  });
}

/** A request of the host that is no login. */
export function inputInvalid(happened: string, expected: string): PluginError {
  return new PluginError('INPUT_INVALID', {
    happened,
    expected,
    remedy: 'Report this with the version of SFTPGo.',
  });
}
