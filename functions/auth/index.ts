/**
 * An SFTPGo auth plugin with users of its own: passwords, public keys, TLS certificates, one-time codes.
 * Subpath `sftpgo-plugin-serverless/functions/auth`; docs/auth-function.md.
 */
import { PluginError } from '../../proto/error.ts';
import {
  type Auth,
  type AuthPlugin,
  accept,
  ask,
  auth,
  type Context,
  denyLogin,
  type LoginAnswer,
} from '../kit/index.ts';
import { commonNameOf, fingerprintOf } from './certificate.ts';
import { grant } from './grant.ts';
import { parseHash } from './password/check.ts';
import type { PasswordCheck } from './password/password-check.ts';
import { parsePublicKey } from './public-key.ts';
import { listedUsers, type UserStore } from './store.ts';
import type { KnownUser, StoredUser } from './user.ts';

export { fileUsers } from './file-users.ts';
export { listedUsers, type UserStore } from './store.ts';
export { type KnownUser, parseStoredUser, type StoredUser } from './user.ts';

/** Ways to log in. SFTPGo asks a plugin only about those that it handles. */
export type LoginKind = 'password' | 'publicKey' | 'tlsCert' | 'keyboardInteractive';

export interface AuthUsersOptions<Env> {
  /** The users, or where they are. */
  readonly users: readonly StoredUser[] | UserStore<Env>;
  /** Absent: all four. */
  readonly logins?: readonly LoginKind[];
  /**
   * A hash that is checked for names that do not exist, so that they take as long as others: of the kind and cost that the
   * users' hashes have. Absent: the first password of a list, else argon2id with 19 MiB.
   */
  readonly unknownUserHash?: string;
}

/** Of no password: 32 zero bytes. */
const argon2idOfNothing = `$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$${'A'.repeat(43)}`;
/** SHA-crypt takes time that grows with the square of the length. */
const maxPasswordBytes = 1024;

/**
 * Makes an auth plugin.
 *
 * ```ts
 * import { authUsers } from 'sftpgo-plugin-serverless/functions/auth';
 *
 * export default authUsers({
 *   users: [
 *     {
 *       username: 'alice',
 *       password: '$argon2id$v=19$m=65536,t=1,p=2$…',
 *       publicKeys: ['ssh-ed25519 AAAA… alice@laptop'],
 *       settings: { home_dir: '/srv/sftp/alice', permissions: { '/': ['list', 'download', 'upload'] } },
 *     },
 *   ],
 * });
 * ```
 *
 * Throws CONFIG_INVALID for a user or a hash that cannot be used: at build time already.
 */
export function authUsers<Env = unknown>(options: AuthUsersOptions<Env>): AuthPlugin<Env> {
  const { users, logins = ['password', 'publicKey', 'tlsCert', 'keyboardInteractive'] } = options;
  const store: UserStore<Env> = isStore(users) ? users : listedUsers(users);
  const firstHash = isStore(users) ? undefined : users.find(hasPassword)?.password;
  const decoy = decoyOf(options.unknownUserHash ?? firstHash ?? argon2idOfNothing);

  /** The user, if the password is its own. One answer, and about one duration, for all that can be wrong. */
  async function withPassword(
    username: string,
    password: string,
    context: Context<Env>,
  ): Promise<KnownUser | undefined> {
    const user = await store.find(username, context);
    const bytes = new TextEncoder().encode(password);
    if (bytes.length === 0 || bytes.length > maxPasswordBytes || bytes.includes(0)) return undefined;
    const isRight = await (user?.check ?? decoy)(bytes);
    return isRight && user?.check !== undefined && !user.disabled ? user : undefined;
  }

  const password: Auth<Env> = {
    async checkUserAndPass(login, context) {
      const user = await withPassword(login.username, login.password, context);
      if (user === undefined) return denyLogin('unknown user or wrong password');
      // '': hosts that do not say
      if (
        user.codes &&
        (login.protocol === '' || login.protocol === 'OIDC' || user.codes.protocols.has(login.protocol))
      ) {
        return denyLogin('a one-time code is needed, which only a dialogue can ask for');
      }
      return grant(user, login);
    },
  };

  const publicKey: Auth<Env> = {
    async checkUserAndPublicKey(login, context) {
      const offered = parsePublicKey(login.pubKey);
      if ('problem' in offered) return denyLogin(offered.problem);
      const user = await active(login.username, context);
      if (!user?.publicKeys.has(offered.key)) return denyLogin('not a key of the user');
      const stored = login.user.public_keys ?? [];
      const isStored = stored.some((line) => line.trim().split(/\s+/, 2).join(' ') === offered.key);
      return grant(user, login, isStored ? {} : { public_keys: [...stored, login.pubKey] });
    },
  };

  const tlsCert: Auth<Env> = {
    async checkUserAndTLSCert(login, context) {
      const user = await active(login.username, context);
      if (user === undefined) return denyLogin('unknown user');
      const fingerprint = await fingerprintOf(login.tlsCert);
      if (fingerprint === undefined) return denyLogin('not a certificate');
      const named = user.commonName !== undefined && commonNameOf(login.tlsCert) === user.commonName;
      if (!named && !user.fingerprints.has(fingerprint)) return denyLogin('not a certificate of the user');
      const filters = { ...user.settings.filters };
      const stored = listOf(login.user.filters?.['tls_certs']);
      const isStored = stored.some((pem) => pem.trim() === login.tlsCert.trim());
      const extra = isStored ? {} : { filters: { ...filters, tls_certs: [...stored, login.tlsCert] } };
      return grant(user, login, extra);
    },
  };

  const keyboardInteractive: Auth<Env> = {
    async checkUserAndKeyboardInteractive(login, context) {
      const user = await active(login.username, context);
      return user?.check === undefined
        ? denyLogin('unknown user, or one without a password')
        : grant(user, login);
    },
    async sendKeyboardAuthRequest({ username, step, answers }, context) {
      const [answer = ''] = answers;
      if (step === 1) return ask('Password: ');
      if (step === 2) {
        const user = await withPassword(username, answer, context);
        if (user === undefined) return denyLogin('unknown user or wrong password');
        return user.codes ? ask('Authentication code: ') : accept.unchanged();
      }
      // the kit lets nobody come here but with the question of step 2, which only the right password brings
      const user = await active(username, context);
      return user === undefined ? denyLogin('unknown user') : await withCode(user, answer, context);
    },
  };

  async function active(username: string, context: Context<Env>): Promise<KnownUser | undefined> {
    const user = await store.find(username, context);
    return user?.disabled ? undefined : user;
  }

  async function withCode(user: KnownUser, code: string, context: Context<Env>): Promise<LoginAnswer> {
    const timeStep = user.codes?.stepOf(code, Date.now());
    if (timeStep === undefined) return denyLogin('wrong one-time code');
    const isFirst = await store.burn(user.username, timeStep, context);
    return isFirst ? accept.unchanged() : denyLogin('the one-time code was used before');
  }

  const kinds = { password, publicKey, tlsCert, keyboardInteractive };
  return auth<Env>(Object.assign({}, ...logins.map((kind) => kinds[kind])));
}

/** A list has a method of this name, too. */
function isStore<Env>(users: readonly StoredUser[] | UserStore<Env>): users is UserStore<Env> {
  return !Array.isArray(users);
}

function hasPassword({ password }: StoredUser): boolean {
  return password !== undefined;
}

function decoyOf(hash: string): PasswordCheck {
  const parsed = parseHash(hash);
  if ('check' in parsed) return parsed.check;
  throw new PluginError('CONFIG_INVALID', {
    happened: `unknownUserHash, or the first password of the list: ${parsed.problem}`,
    expected: 'a hash of the kind that the users have',
    remedy: 'Correct it and build the function again.',
  });
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
