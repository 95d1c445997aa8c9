/** One of the key management services that SFTPGo knows by name. */
export interface Scheme {
  /** What SFTPGo stores beside a secret that this service encrypted: `kms_options.encrypted_status`. */
  readonly encryptedStatus: string;
  /** The longest text that the service encrypts, in bytes; absent where it depends on the key or is megabytes. */
  readonly maxPlaintextBytes?: number;
}

/**
 * `kms_options.scheme` of SFTPGo with the status that its own plugin pairs it with. Limits: the services' reference
 * of Encrypt (AWS KMS, Google Cloud KMS, OCI Key Management).
 */
export const schemes = {
  awskms: { encryptedStatus: 'AWS', maxPlaintextBytes: 4096 },
  gcpkms: { encryptedStatus: 'GCP', maxPlaintextBytes: 65_536 },
  hashivault: { encryptedStatus: 'VaultTransit' },
  azurekeyvault: { encryptedStatus: 'AzureKeyVault' },
  ocikeyvault: { encryptedStatus: 'OracleKeyVault', maxPlaintextBytes: 4096 },
} as const satisfies Readonly<Record<string, Scheme>>;

/** A value of `kms_options.scheme`. */
export type SchemeName = keyof typeof schemes;
