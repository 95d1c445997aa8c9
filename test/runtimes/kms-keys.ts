import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';

/** An error of AWS KMS: its name goes into `__type`. */
export class KmsException extends Error {
  readonly type: string;

  constructor(type: string, message = '') {
    super(message);
    this.type = type;
  }
}

export type EncryptionContext = Readonly<Record<string, string>>;

interface Key {
  readonly id: string;
  readonly arn: string;
  readonly bytes: Buffer;
  readonly description: string;
  readonly created: number;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
}

/** First byte of our ciphertexts: AWS's own are not documented, and must not be mistaken for these. */
const format = 1;
const idBytes = 36;
const headerBytes = 1 + idBytes;
const ivBytes = 12;
const tagBytes = 16;

/**
 * The symmetric keys of one account in one region: AES-256-GCM with key id and encryption context authenticated, and
 * the key states of AWS KMS
 * (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html).
 */
export class KmsKeys {
  readonly #prefix: string;
  readonly #keys = new Map<string, Key>();
  readonly #aliases = new Map<string, string>();

  constructor(region: string, account: string) {
    this.#prefix = `arn:aws:kms:${region}:${account}:`;
  }

  create(description: string): Key {
    const id = randomUUID();
    const key: Key = {
      id,
      arn: `${this.#prefix}key/${id}`,
      bytes: randomBytes(32),
      description,
      created: Date.now() / 1000,
      state: 'Enabled',
    };
    this.#keys.set(id, key);
    return key;
  }

  /** Points an alias at a key. `moving`: it must exist already, else it must not. */
  alias(name: string, keyId: string, moving: boolean): void {
    if (!/^alias\/[A-Za-z0-9/_-]{1,250}$/.test(name) || name.startsWith('alias/aws/')) {
      throw new KmsException('InvalidAliasNameException', 'Alias must start with the prefix "alias/".');
    }
    if (this.#aliases.has(name) !== moving) {
      const arn = this.#prefix + name;
      throw moving
        ? new KmsException('NotFoundException', `Alias ${arn} is not found.`)
        : new KmsException('AlreadyExistsException', `An alias with the name ${arn} already exists`);
    }
    this.#aliases.set(name, this.find(keyId).id);
  }

  /** The key behind an id, an alias, or the ARN of either. */
  find(keyId: string): Key {
    const local = keyId.startsWith('arn:') ? this.#local(keyId) : keyId;
    if (local.startsWith('alias/')) {
      const key = this.#keys.get(this.#aliases.get(local) ?? '');
      if (key) return key;
      throw new KmsException('NotFoundException', `Alias ${this.#prefix}${local} is not found.`);
    }
    const id = local.startsWith('key/') ? local.slice('key/'.length) : local;
    const key = this.#keys.get(id);
    if (key) return key;
    throw new KmsException(
      'NotFoundException',
      /^[0-9a-f-]{36}$/.test(id)
        ? `Key '${this.#prefix}key/${id}' does not exist`
        : `Invalid keyId '${keyId}'`,
    );
  }

  #local(arn: string): string {
    if (arn.startsWith(this.#prefix)) return arn.slice(this.#prefix.length);
    throw new KmsException('NotFoundException', `Invalid arn ${arn.split(':')[3]}`);
  }

  /** A key that may encrypt and decrypt now. */
  usable(keyId: string): Key {
    const key = this.find(keyId);
    if (key.state === 'Disabled') throw new KmsException('DisabledException', `${key.arn} is disabled.`);
    if (key.state === 'PendingDeletion') {
      throw new KmsException('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    }
    return key;
  }

  encrypt(key: Key, plaintext: Uint8Array, context: EncryptionContext): Buffer {
    const iv = randomBytes(ivBytes);
    const header = Buffer.concat([Buffer.of(format), Buffer.from(key.id)]);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, iv, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.concat([header, contextBytes(context)]));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([header, iv, cipher.getAuthTag(), sealed]);
  }

  /** The ciphertext names its key; `keyId`, where it is given, must be that one. */
  decrypt(blob: Buffer, context: EncryptionContext, keyId?: string): { key: Key; plaintext: Buffer } {
    const id = blob.subarray(1, headerBytes).toString('latin1');
    if (blob[0] !== format || blob.length <= headerBytes + ivBytes + tagBytes || !this.#keys.has(id)) {
      throw new KmsException('InvalidCiphertextException');
    }
    if (keyId !== undefined && this.find(keyId).id !== id) {
      throw new KmsException(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
    const key = this.usable(id);
    const iv = blob.subarray(headerBytes, headerBytes + ivBytes);
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, iv, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.concat([blob.subarray(0, headerBytes), contextBytes(context)]));
    decipher.setAuthTag(blob.subarray(headerBytes + ivBytes, headerBytes + ivBytes + tagBytes));
    try {
      const opened = decipher.update(blob.subarray(headerBytes + ivBytes + tagBytes));
      return { key, plaintext: Buffer.concat([opened, decipher.final()]) };
    } catch {
      throw new KmsException('InvalidCiphertextException');
    }
  }
}

/** The order of the pairs does not matter (AWS KMS developer guide, "Encryption context"). */
function contextBytes(context: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));
}
