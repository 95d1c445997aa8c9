import { PluginError } from '../../../proto/error.ts';
import type { LockedFunction } from '../../../proto/lock/schema.ts';

/** `auth_options` of a plugin entry. */
export interface AuthOptions {
  /** 1 password, 2 public key, 4 keyboard interactive, 8 TLS certificate, added up. */
  readonly scope: number;
}

/** The bit of `scope` with which SFTPGo sends each of these RPCs. SendKeyboardAuthRequest has none of its own. */
const scopeBits: Readonly<Record<string, number>> = {
  CheckUserAndPass: 1,
  CheckUserAndPublicKey: 2,
  CheckUserAndKeyboardInteractive: 4,
  CheckUserAndTLSCert: 8,
};

/**
 * The scope that fits what a function handles. SFTPGo asks nobody else about a login of a scope that a plugin has, so a
 * bit too many would lock users out.
 *
 * A keyboard-interactive login (4) begins with CheckUserAndKeyboardInteractive, but SFTPGo 2.2.0 to 2.7.5 sends its
 * steps, SendKeyboardAuthRequest, to the first plugin with the password bit (1). With 4 alone there is none, and each
 * such login fails.
 *
 * @throws PluginError CONFIG_INVALID where SFTPGo could never finish a login that the function handles, or sends it none
 */
export function authOptionsOf(functionName: string, locked: Pick<LockedFunction, 'handles'>): AuthOptions {
  const handles = new Set(locked.handles);
  const scope = Object.entries(scopeBits).reduce(
    (sum, [rpc, bit]) => (handles.has(rpc) ? sum | bit : sum),
    0,
  );
  if (scope === 0) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `${functionName} handles no login: ${locked.handles.join(', ')}`,
      expected: `at least one of ${Object.keys(scopeBits).join(', ')}`,
      remedy: 'Handle one in the function, build it and put it into the lock.',
    });
  }
  const begins = handles.has('CheckUserAndKeyboardInteractive');
  if (begins && !handles.has('SendKeyboardAuthRequest')) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `${functionName} handles CheckUserAndKeyboardInteractive, but not SendKeyboardAuthRequest`,
      expected: 'both: one admits a user to the dialogue, the other asks the questions',
      remedy: 'Handle both in the function, build it and put it into the lock.',
    });
  }
  if (begins && !handles.has('CheckUserAndPass')) {
    throw new PluginError('CONFIG_INVALID', {
      happened: `${functionName} handles keyboard-interactive logins, but no passwords: its scope would be ${scope}`,
      expected:
        'CheckUserAndPass as well, since SFTPGo sends the steps of a dialogue to the plugin for passwords',
      remedy:
        'Handle CheckUserAndPass in the function, if only to deny every password; build it and put it into the lock.',
    });
  }
  return { scope };
}

/** What an administrator should know about the entry; may be empty. */
export function authRemarks(
  functionName: string,
  { handles }: Pick<LockedFunction, 'handles'>,
): readonly string[] {
  if (handles.includes('CheckUserAndKeyboardInteractive')) {
    return [
      'SFTPGo sends the questions of keyboard-interactive logins to the first auth plugin that has passwords in its ' +
        'scope: put this entry before any other of type auth.',
    ];
  }
  if (handles.includes('SendKeyboardAuthRequest')) {
    return [
      `${functionName} handles SendKeyboardAuthRequest, but SFTPGo starts no dialogue with it: that takes ` +
        'CheckUserAndKeyboardInteractive.',
    ];
  }
  return [];
}
