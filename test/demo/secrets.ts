/** What the demo's host knows and its functions must not see: a test looks for each on the recorded wire. */
export const secrets = {
  username: 'bob',
  masterKey: 'demo-master-key-that-stays-on-the-host',
  storageKey: 'demo-storage-secret-key',
  /** Stored by SFTPGo; of another password than the one that logs in. */
  passwordHash: '$2a$10$demoDEMOdemoDEMOdemoDEOdemoDEMOdemoDEMOdemoDEMOdemoDE',
  totpSecret: 'demo-totp-ciphertext-of-the-host',
  recoveryCode: 'demo-recovery-code-of-the-host',
} as const;
