import type { DescMethod, Message } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { type Config, configSchema, type SectionName } from '../../adapter/config/schema.ts';
import { createInvoke } from '../../adapter/invoke/index.ts';
import { compose } from '../../adapter/policies/compose.ts';
import { policiesOf } from '../../adapter/policies/index.ts';
import { hostError } from '../../adapter/role/host-error.ts';
import { type ConnectCode, connectCodes } from '../../proto/codes.ts';
import { type CallTraits, pluginTypes } from '../../proto/plugin-types.ts';
import type { AnswerMessage, RequestMessage } from '../../proto/signature/message.ts';
import { newKeys, type Reaction, startFunction } from '../support/function-server.ts';
import { callOf, connectionTo } from '../support/invoke.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const base64 = (text: string) => Buffer.from(text).toString('base64');
/** JSON that no parser by recursion survives for long. */
const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;

/** A request of an RPC, and an answer to it that is good; `field` is where deep JSON goes in it, if anywhere. */
interface Sample {
  readonly input: () => Readonly<Record<string, unknown>>;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly grant?: string;
  readonly field?: string;
}

const bob = bytes(
  '{"id":7,"username":"bob","status":1,"home_dir":"/srv/sftp/bob","permissions":{"/":["list"]}}',
);
const login = (fields: object): Sample => ({
  input: () => ({ username: 'bob', ip: '192.0.2.1', protocol: 'SSH', user: bob, ...fields }),
  answer: {},
  grant: 'unchanged',
  field: 'user',
});
const event = (fields: object): Sample => ({
  input: () => ({ timestamp: 1_790_000_000_123_456_789n, username: 'bob', ...fields }),
  answer: {},
});
const search = (fields: object): Sample => ({
  input: () => ({ limit: 10, ...fields }),
  answer: { data: base64('[]') },
  field: 'data',
});
const file = { storageId: 's3://team', objectPath: '/a' };
let dialogues = 0;

const samples: { readonly [T in SectionName]: Readonly<Record<string, Sample>> } = {
  auth: {
    CheckUserAndPass: login({ password: 'secret' }),
    CheckUserAndTLSCert: login({ tlsCert: 'a certificate', protocol: 'FTP' }),
    CheckUserAndPublicKey: login({ pubKey: 'ssh-ed25519 AAAA\n' }),
    CheckUserAndKeyboardInteractive: login({}),
    SendKeyboardAuthRequest: {
      input: () => ({ requestID: `dialogue-${dialogues++}`, username: 'bob', ip: '192.0.2.1', step: 1 }),
      answer: { questions: ['Password: '], echos: [false] },
    },
  },
  kms: {
    Encrypt: {
      input: () => ({ payload: 'a secret', url: 'awskms://alias/sftpgo', masterKey: 'master' }),
      answer: { payload: base64('sealed') },
    },
    Decrypt: {
      input: () => ({ payload: base64('sealed'), url: 'awskms://alias/sftpgo' }),
      answer: { payload: 'a secret' },
    },
  },
  ipfilter: {
    CheckIP: { input: () => ({ ip: '192.0.2.1', protocol: 'SSH' }), answer: {} },
    Reload: { input: () => ({}), answer: {} },
  },
  notifier: {
    SendFsEvent: event({ action: 'upload', fsPath: '/a' }),
    SendProviderEvent: event({ action: 'add', objectType: 'user', objectData: bytes('{}') }),
    SendLogEvent: event({ event: 1 }),
  },
  eventsearcher: {
    SearchFsEvents: search({ fsProvider: -1 }),
    SearchProviderEvents: search({}),
    SearchLogEvents: search({}),
  },
  metadata: {
    SetModificationTime: { input: () => ({ ...file, modificationTime: 1n }), answer: {} },
    GetModificationTime: { input: () => file, answer: { modificationTime: '1' } },
    GetModificationTimes: {
      input: () => ({ storageId: file.storageId, folderPath: '/' }),
      answer: { pairs: { a: '1' } },
    },
    RemoveMetadata: { input: () => file, answer: {} },
    GetFolders: { input: () => ({ storageId: file.storageId, limit: 10 }), answer: { folders: ['/a'] } },
  },
};

/** Sections as short as they get: every default is in force. */
const sections: Config = configSchema.parse({
  identity: 'a',
  lock: { file: 'b' },
  trust: { file: 'c' },
  ...Object.fromEntries(Object.keys(samples).map((type) => [type, { use: 'office' }])),
  notifier: { use: 'office', instance: 'node1' },
});

/** What the host gets: a gRPC status, and our code out of its text. */
type Outcome = readonly [grpcCode: number, code: string];
const ok: Outcome = [0, 'OK'];

interface Adapter {
  /** One call, answered by `react`; the good answer when absent. */
  ask(react?: React, timeoutMs?: number): Promise<Outcome>;
  close(): Promise<void>;
}
type Signed = (answer?: Parameters<Server['sign']>[1]) => Promise<AnswerMessage>;
type Server = Awaited<ReturnType<typeof startFunction>>;
type React = (sign: Signed, request: RequestMessage) => Reaction | Promise<Reaction>;

/** The policies of a type over a real connection, new ones each time: a breaker remembers. */
async function adapterFor(type: SectionName, method: DescMethod, sample: Sample): Promise<Adapter> {
  const keys = newKeys();
  const server = await startFunction(keys);
  const connection = connectionTo(server.url, keys);
  const section = sections[type];
  if (section === undefined) throw new Error(`no section ${type}`);
  const handle = compose(policiesOf(type, section), createInvoke(connection));
  return {
    async ask(react = (sign) => sign(), timeoutMs = 20_000) {
      server.intercept = (request) =>
        react(
          (answer) =>
            server.sign(request, {
              body: JSON.stringify(sample.answer),
              ...answer,
              headers: {
                ...(sample.grant === undefined ? {} : { 'plugin-grant': sample.grant }),
                ...answer?.headers,
              },
            }),
          request,
        );
      const call = callOf(method, sample.input() as Message, { timeoutMs });
      try {
        await handle(call);
        return ok;
      } catch (error) {
        const { grpcCode, message } = hostError(error, call.id, call.traits);
        return [grpcCode, /\(([A-Z_]+), call/.exec(message)?.[1] ?? message];
      }
    },
    async close() {
      await connection.target.close();
      await server.close();
    },
  };
}

const page = (status: number, headers: [string, string][] = []): AnswerMessage => ({
  status,
  headers: [['content-type', 'text/html'], ...headers],
  body: bytes('<html><body>Bad Gateway</body></html>'),
});

/** Answers that are refused without a word about the function being away. */
const refused: Readonly<Record<string, { readonly react: React; readonly outcome: Outcome }>> = {
  'an HTML page with 502': { react: () => page(502), outcome: [14, 'ANSWER_UNSIGNED'] },
  'an HTML page with 200': { react: () => page(200), outcome: [14, 'ANSWER_UNSIGNED'] },
  'a redirect': {
    react: (_, { url }) => page(302, [['location', url]]),
    outcome: [14, 'ANSWER_UNSIGNED'],
  },
  'the wrong content type, signed': {
    react: (sign) => sign({ headers: { 'content-type': 'application/connect+json' } }),
    outcome: [13, 'ANSWER_INVALID'],
  },
  'no UTF-8, signed': {
    react: (sign) => sign({ body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d) }),
    outcome: [13, 'ANSWER_INVALID'],
  },
  'no body, signed': { react: (sign) => sign({ body: '' }), outcome: [13, 'ANSWER_INVALID'] },
  'JSON of 5,000 levels, signed': { react: (sign) => sign({ body: deep }), outcome: [13, 'ANSWER_INVALID'] },
  'an error of 5,000 levels, signed': {
    react: (sign) => sign({ status: 403, body: deep }),
    outcome: [13, 'ANSWER_INVALID'],
  },
  'an error with a code that Connect does not know, signed': {
    react: (sign) => sign({ status: 403, body: '{"code":"ok"}' }),
    outcome: [13, 'ANSWER_INVALID'],
  },
};

/** Answers as from a function that is away: a retry may ask once more, and a breaker counts them. */
const outages: Readonly<
  Record<string, { readonly react: React; readonly outcome: Outcome; readonly timeoutMs?: number }>
> = {
  '7 MB': {
    react: (sign) => sign({ body: new Uint8Array(7_000_000).fill(0x20) }),
    outcome: [14, 'UNREACHABLE'],
  },
  'half a body': {
    react: async (sign) => {
      const { headers, ...answer } = await sign();
      const length: [string, string] = ['content-length', String(answer.body.byteLength + 10)];
      return { ...answer, headers: [...headers, length, ['connection', 'close']] };
    },
    outcome: [14, 'UNREACHABLE'],
  },
  'a byte a second': {
    react: async (sign) => ({ ...(await sign({ body: ' '.repeat(600) })), byteEveryMs: 1000 }),
    outcome: [4, 'DEADLINE'],
    timeoutMs: 400,
  },
};

/** not_found says something in metadata only, and permission_denied is a decision on verdict calls only. */
function outcomeOf(code: ConnectCode, traits: CallTraits): Outcome {
  if (code === 'permission_denied' && traits.verdict) return [7, 'DENIED'];
  if (code === 'not_found' && !traits.notFound) return [13, 'FUNCTION_ERROR'];
  return [connectCodes[code].grpc, 'FUNCTION_ERROR'];
}

const rpcs = (Object.keys(samples) as SectionName[]).flatMap((type) =>
  pluginTypes[type].service.methods.map((method) => ({ type, rpc: method.name, method })),
);

test('these are the twenty RPCs', () => {
  expect(rpcs.length).toBe(20);
  expect(Object.keys(samples).sort()).toEqual(Object.keys(pluginTypes).sort());
  for (const { type, rpc } of rpcs) expect(Object.keys(samples[type])).toContain(rpc);
});

describe.concurrent.each(rpcs)('$rpc of $type', ({ type, rpc, method }) => {
  const sample = samples[type][rpc];
  if (sample === undefined) throw new Error(`no sample of ${rpc}`);
  const calls: Readonly<Record<string, CallTraits>> = pluginTypes[type].calls;
  const traits = calls[method.localName];
  if (traits === undefined) throw new Error(`no traits of ${rpc}`);

  test('what is refused has its code, and the next good answer is taken', async () => {
    const adapter = await adapterFor(type, method, sample);
    expect(await adapter.ask()).toEqual(ok);
    for (const [name, { react, outcome }] of Object.entries(refused)) {
      expect([name, await adapter.ask(react)]).toEqual([name, outcome]);
      expect([name, await adapter.ask()]).toEqual([name, ok]);
    }
    if (sample.field !== undefined) {
      const body = JSON.stringify({ ...sample.answer, [sample.field]: base64(deep) });
      const merge = sample.grant === undefined ? {} : { 'plugin-grant': 'merge' };
      expect(await adapter.ask((sign) => sign({ body, headers: merge }))).toEqual([13, 'ANSWER_INVALID']);
      expect(await adapter.ask()).toEqual(ok);
    }
    let first: AnswerMessage | undefined;
    expect(await adapter.ask(async (sign) => (first = await sign()))).toEqual(ok);
    expect(await adapter.ask(async (sign) => first ?? (await sign()))).toEqual([14, 'ANSWER_REFUSED']);
    expect(await adapter.ask()).toEqual(ok);
    await adapter.close();
  });

  test('a signed error of each code of Connect, none of which opens the breaker', async () => {
    const adapter = await adapterFor(type, method, sample);
    for (const code of Object.keys(connectCodes) as ConnectCode[]) {
      const { http } = connectCodes[code];
      const outcome = await adapter.ask((sign) => sign({ status: http, body: JSON.stringify({ code }) }));
      expect([code, outcome]).toEqual([code, outcomeOf(code, traits)]);
    }
    expect(await adapter.ask()).toEqual(ok);
    await adapter.close();
  });

  test.each(Object.entries(outages))('%s, and the next good answer is taken', async (_, outage) => {
    const adapter = await adapterFor(type, method, sample);
    expect(await adapter.ask(outage.react, outage.timeoutMs)).toEqual(outage.outcome);
    expect(await adapter.ask()).toEqual(ok);
    await adapter.close();
  });
});
