/** Is this password (UTF-8) the one that was hashed? */
export type PasswordCheck = (password: Uint8Array) => Promise<boolean>;
