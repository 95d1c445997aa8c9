import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';

/** Old and new hash functions of stored passwords; MD5 and SHA-1 stand for formats that exist, not for a choice. */
export type DigestName = 'md5' | 'sha1' | 'sha256' | 'sha512';

const portable = { md5, sha1, sha256, sha512 } as const;

/**
 * Node's own hashing where there is one: a salted hash of 5,000 rounds takes a fifth of the time. Other runtimes get
 * the same bytes from JavaScript.
 */
export function digest(name: DigestName, data: Uint8Array): Uint8Array {
  const node = globalThis.process?.getBuiltinModule?.('node:crypto');
  return node?.hash === undefined ? portable[name](data) : node.hash(name, data, 'buffer');
}
