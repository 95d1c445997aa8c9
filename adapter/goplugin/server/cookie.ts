import { PluginError } from '../../../proto/error.ts';
import type { Environment } from './environment.ts';

/** The variable and value a host sets for the plugins it starts. No secret: it only tells a host from a shell. */
export interface MagicCookie {
  readonly name: string;
  readonly value: string;
}

/**
 * Was this process started by a host that wants this plugin?
 *
 * Throws HOST_REFUSED when the variable is missing or differs: print help on stderr, nothing on stdout, and
 * exit with 1, as go-plugin's own plugins do.
 */
export function checkCookie(env: Environment, cookie: MagicCookie): void {
  if (cookie.name === '' || cookie.value === '') {
    throw new PluginError('INPUT_INVALID', {
      happened: 'this plugin has an empty magic cookie',
      expected: 'a name and a value',
      remedy: 'Give serve() the cookie that the host documents.',
    });
  }
  if (env[cookie.name] === cookie.value) return;
  throw new PluginError('HOST_REFUSED', {
    happened: `${cookie.name} is ${env[cookie.name] === undefined ? 'not set' : 'set to another value'}`,
    expected: 'the value that the host of this plugin sets',
    remedy: 'This is a plugin: it is started by its host, not by hand.',
  });
}
