import { Secret, TOTP } from 'otpauth';

/** The second factor of one user (RFC 6238). */
export interface OneTimeCodes {
  /** Where a password alone is not enough. */
  readonly protocols: ReadonlySet<string>;
  /**
   * The time step that a code belongs to: the current one, the one before or the next. Undefined for a wrong code.
   * Whoever accepts it burns it: a step and all before it are good once.
   */
  stepOf(code: string, nowMs: number): number | undefined;
}

interface TotpSettings {
  readonly secret: string;
  readonly protocols?: readonly string[] | undefined;
  readonly digits?: number | undefined;
  readonly period?: number | undefined;
  readonly algorithm?: string | undefined;
}

const everywhere = ['SSH', 'FTP', 'DAV', 'HTTP'];
const minSecretBytes = 10;

/** Reads the settings of a second factor. The problem says nothing of the secret. */
export function oneTimeCodes(settings: TotpSettings): OneTimeCodes | { readonly problem: string } {
  const { protocols = everywhere, digits = 6, period = 30, algorithm = 'SHA1' } = settings;
  const base32 = settings.secret.replace(/[\s=]/g, '').toUpperCase();
  if (!/^[A-Z2-7]+$/.test(base32) || (base32.length * 5) / 8 < minSecretBytes) {
    return { problem: `secret: expected base32 of at least ${minSecretBytes} bytes` };
  }
  const totp = new TOTP({ secret: Secret.fromBase32(base32), digits, period, algorithm });
  return {
    protocols: new Set(protocols),
    stepOf(code, nowMs) {
      const delta = totp.validate({ token: code.replaceAll(' ', ''), timestamp: nowMs, window: 1 });
      return delta === null ? undefined : Math.floor(nowMs / 1000 / period) + delta;
    },
  };
}
