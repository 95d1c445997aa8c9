import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type EncryptionContext, KmsException, KmsKeys } from './kms-keys.ts';

type Body = Readonly<Record<string, unknown>>;

/** One request that the server answered. */
export interface KmsRequest {
  /** `Encrypt`, `Decrypt`, … */
  readonly operation: string;
  readonly region: string;
  /** Whose signature it carried. */
  readonly accessKeyId: string;
  readonly body: Body;
}

/** AWS KMS on loopback, for whoever speaks its protocol: the AWS SDKs with an `endpoint`. */
export interface KmsServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What came in, oldest first. */
  readonly requests: readonly KmsRequest[];
  /** Operations that answer with this error: `deny.set('DescribeKey', 'AccessDeniedException')`. */
  readonly deny: Map<string, string>;
  close(): Promise<void>;
}

const account = '111122223333';

/**
 * Starts a KMS server with symmetric keys, real AES-256-GCM and the errors that AWS documents
 * (https://docs.aws.amazon.com/kms/latest/APIReference/). The region is that of the request's signature, as at AWS;
 * signatures are not checked, only demanded.
 */
export async function startKmsServer(): Promise<KmsServer> {
  const regions = new Map<string, KmsKeys>();
  const requests: KmsRequest[] = [];
  const deny = new Map<string, string>();

  function answer(incoming: IncomingMessage, text: string): object {
    const scope = /Credential=([^/,]+)\/\d{8}\/([a-z0-9-]+)\/kms\/aws4_request/;
    const [, accessKeyId, region] = scope.exec(incoming.headers.authorization ?? '') ?? [];
    if (accessKeyId === undefined || region === undefined) {
      throw new KmsException('MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    const operation = /^TrentService\.(\w+)$/.exec(String(incoming.headers['x-amz-target']))?.[1] ?? '';
    const body: Body = Object(JSON.parse(text === '' ? '{}' : text));
    requests.push({ operation, region, accessKeyId, body });
    const denied = deny.get(operation);
    if (denied !== undefined) {
      throw new KmsException(denied, `User: arn:aws:iam::${account}:role/test may not: kms:${operation}`);
    }
    const keys = regions.get(region) ?? new KmsKeys(region, account);
    regions.set(region, keys);
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (run === undefined) throw new KmsException('UnknownOperationException');
    return run(keys, body);
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    let status = 200;
    let said: object;
    try {
      said = answer(incoming, Buffer.concat(chunks).toString());
    } catch (thrown) {
      const known = thrown instanceof KmsException;
      status = known && thrown.type !== 'KMSInternalException' ? 400 : 500;
      said = known
        ? { __type: thrown.type, ...(thrown.message === '' ? {} : { message: thrown.message }) }
        : { __type: 'KMSInternalException', message: String(thrown) };
    }
    outgoing.writeHead(status, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID(),
    });
    outgoing.end(JSON.stringify(said));
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    deny,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const operations: Readonly<Record<string, (keys: KmsKeys, body: Body) => object>> = {
  CreateKey: (keys, body) => ({ KeyMetadata: metadataOf(keys.create(String(body['Description'] ?? ''))) }),
  DescribeKey: (keys, body) => ({ KeyMetadata: metadataOf(keys.find(text(body, 'KeyId', 2048))) }),
  CreateAlias(keys, body) {
    keys.alias(text(body, 'AliasName', 256), text(body, 'TargetKeyId', 2048), false);
    return {};
  },
  UpdateAlias(keys, body) {
    keys.alias(text(body, 'AliasName', 256), text(body, 'TargetKeyId', 2048), true);
    return {};
  },
  DisableKey(keys, body) {
    keys.find(text(body, 'KeyId', 2048)).state = 'Disabled';
    return {};
  },
  EnableKey(keys, body) {
    keys.find(text(body, 'KeyId', 2048)).state = 'Enabled';
    return {};
  },
  ScheduleKeyDeletion(keys, body) {
    const key = keys.find(text(body, 'KeyId', 2048));
    key.state = 'PendingDeletion';
    return { KeyId: key.arn, KeyState: key.state, PendingWindowInDays: 30 };
  },
  Encrypt(keys, body) {
    const plaintext = blob(body, 'Plaintext', 4096);
    const key = keys.usable(text(body, 'KeyId', 2048));
    const sealed = keys.encrypt(key, plaintext, contextOf(body, 'EncryptionContext'));
    return { CiphertextBlob: sealed.toString('base64'), KeyId: key.arn, ...algorithm };
  },
  Decrypt(keys, body) {
    const given = body['KeyId'] === undefined ? undefined : text(body, 'KeyId', 2048);
    const sealed = blob(body, 'CiphertextBlob', 6144);
    const { key, plaintext } = keys.decrypt(sealed, contextOf(body, 'EncryptionContext'), given);
    return { Plaintext: plaintext.toString('base64'), KeyId: key.arn, ...algorithm };
  },
  ReEncrypt(keys, body) {
    const opened = keys.decrypt(
      blob(body, 'CiphertextBlob', 6144),
      contextOf(body, 'SourceEncryptionContext'),
      body['SourceKeyId'] === undefined ? undefined : text(body, 'SourceKeyId', 2048),
    );
    const key = keys.usable(text(body, 'DestinationKeyId', 2048));
    const sealed = keys.encrypt(key, opened.plaintext, contextOf(body, 'DestinationEncryptionContext'));
    return {
      CiphertextBlob: sealed.toString('base64'),
      SourceKeyId: opened.key.arn,
      KeyId: key.arn,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    };
  },
  GenerateDataKey(keys, body) {
    const key = keys.usable(text(body, 'KeyId', 2048));
    const made = randomBytes(body['KeySpec'] === 'AES_128' ? 16 : Number(body['NumberOfBytes'] ?? 32));
    return {
      CiphertextBlob: keys.encrypt(key, made, contextOf(body, 'EncryptionContext')).toString('base64'),
      Plaintext: made.toString('base64'),
      KeyId: key.arn,
    };
  },
};

const algorithm = { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };

function metadataOf(key: ReturnType<KmsKeys['find']>): object {
  return {
    AWSAccountId: account,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: key.created,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  };
}

function violated(name: string, constraint: string): KmsException {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  return new KmsException(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${constraint}`,
  );
}

function text(body: Body, name: string, maxLength: number): string {
  const value = body[name];
  if (typeof value !== 'string') throw violated(name, 'not be null');
  if (value === '') throw violated(name, 'have length greater than or equal to 1');
  if (value.length > maxLength) throw violated(name, `have length less than or equal to ${maxLength}`);
  return value;
}

function blob(body: Body, name: string, maxBytes: number): Buffer {
  const bytes = Buffer.from(text(body, name, 2 * maxBytes), 'base64');
  if (bytes.length > maxBytes) throw violated(name, `have length less than or equal to ${maxBytes}`);
  return bytes;
}

function contextOf(body: Body, name: string): EncryptionContext {
  const pairs = Object.entries(Object(body[name]));
  if (pairs.every((pair): pair is [string, string] => typeof pair[1] === 'string')) {
    return Object.fromEntries(pairs);
  }
  throw new KmsException('SerializationException');
}
