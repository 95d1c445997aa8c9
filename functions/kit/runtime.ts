import type { PrivateJwk, PublicJwk } from '../../proto/keys/jwk.ts';
import type { SignatureCrypto, SigningKey, VerifyingKey } from '../../proto/signature/port.ts';
import { webCrypto, webSigningKey, webVerifyingKey } from '../../proto/signature/web.ts';

/** The cryptography, and the limits, of the platform that a function runs on. */
export interface Runtime {
  readonly crypto: SignatureCrypto;
  /** The largest body of an answer that the platform carries; absent: 6 MiB. */
  readonly maxAnswerBytes?: number;
  signingKey(jwk: PrivateJwk): SigningKey | Promise<SigningKey>;
  verifyingKey(jwk: PublicJwk): VerifyingKey | Promise<VerifyingKey>;
}

/** WebCrypto: Workers, and everywhere else too. */
export const webRuntime: Runtime = {
  crypto: webCrypto,
  signingKey: webSigningKey,
  verifyingKey: webVerifyingKey,
};
