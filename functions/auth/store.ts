import { PluginError } from '../../proto/error.ts';
import type { Context } from '../kit/index.ts';
import { type KnownUser, parseStoredUser, type StoredUser } from './user.ts';

/** Where users are. Make one of your own to use another database. */
export interface UserStore<Env = unknown> {
  /** A user by name, letter by letter; undefined when there is none. What it throws denies the login. */
  find(username: string, context: Context<Env>): Promise<KnownUser | undefined>;
  /**
   * Uses up a time step of a user's one-time codes: true once, and then false for it and all steps before it, however
   * many calls come at once.
   */
  burn(username: string, step: number, context: Context<Env>): Promise<boolean>;
}

/**
 * A store over a list that does not change. One-time codes are burnt in the memory of this process only.
 *
 * Throws CONFIG_INVALID for a wrong user, naming it, or two of one name.
 */
export function listedUsers(users: readonly StoredUser[], place = 'users'): UserStore {
  const byName = new Map<string, KnownUser>();
  for (const [index, given] of users.entries()) {
    const user = parseStoredUser(given);
    if ('problem' in user) throw wrong(`${place}[${index}] ${nameOf(given)}`, user.problem);
    if (byName.has(user.username)) throw wrong(`${place}[${index}] ${nameOf(given)}`, 'is there twice');
    byName.set(user.username, user);
  }
  const burn = burntInMemory();
  return {
    async find(username) {
      return byName.get(username);
    },
    async burn(username, step) {
      return burn(username, step);
    },
  };
}

/** The last step that each user used up. Only users that are in the store come here: it does not grow beyond them. */
export function burntInMemory(): (username: string, step: number) => boolean {
  const last = new Map<string, number>();
  return (username, step) => {
    if (step <= (last.get(username) ?? 0)) return false;
    last.set(username, step);
    return true;
  };
}

function nameOf(given: unknown): string {
  const { username } = Object(given) as { readonly username?: unknown };
  return typeof username === 'string' ? `(${username.slice(0, 64)})` : '';
}

function wrong(place: string, problem: string): PluginError {
  return new PluginError('CONFIG_INVALID', {
    happened: `${place}: ${problem}`,
    expected: 'users as docs/auth-function.md describes them',
    remedy: 'Correct the user and build the function again.',
  });
}
