import { type Context, FunctionError } from '../kit/index.ts';
import { burntInMemory, listedUsers, type UserStore } from './store.ts';
import type { StoredUser } from './user.ts';

/**
 * A store in a JSON file, a list of users, which is read again when it changes. For functions with a file system:
 * `local`, and `https` on Node. A file that is missing or wrong denies every login until it is mended.
 *
 * Takes the path, or the name of a variable with it: `{ variable: 'USERS_FILE' }`.
 */
export function fileUsers(place: string | { readonly variable: string }): UserStore {
  const burn = burntInMemory();
  let read: { readonly stamp: string; readonly users: UserStore } | undefined;

  function load(context: Context): UserStore {
    const path = typeof place === 'string' ? place : Reflect.get(Object(context.env), place.variable);
    const fs = globalThis.process?.getBuiltinModule?.('node:fs');
    try {
      if (fs === undefined || typeof path !== 'string') throw new Error('no file system, or no path');
      const { ino, size, mtimeMs, ctimeMs } = fs.statSync(path);
      const stamp = [path, ino, size, mtimeMs, ctimeMs].join();
      if (read?.stamp !== stamp) {
        const users: unknown = JSON.parse(fs.readFileSync(path, 'utf8'));
        if (!Array.isArray(users)) throw new Error('expected a list of users');
        read = { stamp, users: listedUsers(users as StoredUser[], path) };
      }
      return read.users;
    } catch (cause) {
      // a JSON error quotes the text, in which there are hashes
      const reason = cause instanceof SyntaxError ? 'it is not JSON' : String(Object(cause).message);
      context.log.error('the file of users cannot be used', { reason });
      throw new FunctionError('failed_precondition', 'the file of users cannot be used', { cause });
    }
  }

  return {
    async find(username, context) {
      return await load(context).find(username, context);
    },
    async burn(username, step) {
      return burn(username, step);
    },
  };
}
