import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInvoke } from '../../adapter/invoke/index.ts';
import type { HttpAnswer, HttpMessage, Target } from '../../adapter/shapes.ts';
import { PluginError } from '../../proto/error.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { nodeCrypto, nodeSigningKey } from '../../proto/signature/node.ts';
import { signAnswer } from '../../proto/signature/sign-answer.ts';
import { newKeys } from '../support/function-server.ts';
import { callOf, connectionTo } from '../support/invoke.ts';
import { damaged, limitMs, parameters } from './runs.ts';

const keys = newKeys();
const build = '0'.repeat(64);
const utf8 = new TextEncoder();

/** The function's honest answer: a signed "no". */
async function honest(request: HttpMessage, body: Uint8Array, status: number): Promise<HttpAnswer> {
  const answer = {
    status,
    headers: [
      ['content-type', 'application/json'],
      ['plugin-cache', 'max-age=60'],
      ['plugin-version', build],
    ],
    body,
  } as const;
  const message = { ...request, method: 'POST' };
  const options = {
    request: message,
    key: nodeSigningKey(keys.functionKey),
    crypto: nodeCrypto,
    nowS: Date.now() / 1000,
  };
  return { ...answer, headers: await signAnswer(answer, options) };
}

/** What one call comes to when its answer is changed so on the way. */
async function outcome(
  change: (answer: HttpAnswer) => HttpAnswer,
  body = denial,
  status = 403,
): Promise<string> {
  const target: Target = {
    origin: () => 'https://office.example.com',
    send: async (message) => change(await honest(message, body, status)),
    close: async () => undefined,
  };
  const invoke = createInvoke(connectionTo('https://office.example.com', keys, { target }));
  try {
    await invoke(callOf(IPFilter.method.checkIP, { ip: '203.0.113.7', protocol: 'SSH' }));
    return 'allowed';
  } catch (error) {
    if (error instanceof PluginError) return error.code;
    throw error;
  }
}

const denial: Uint8Array = utf8.encode('{"code":"permission_denied","message":"banned"}');
const name = fc.constantFrom(
  'content-type',
  'content-digest',
  'signature',
  'signature-input',
  'plugin-version',
  'plugin-cache',
  'plugin-scope',
  'plugin-reason',
  'plugin-grant',
  'content-encoding',
  'set-cookie',
  'Plugin-Version',
  'plugin-',
  '',
);
const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 80 }));
const headerChange = fc.oneof(
  fc.record({ add: name, value: text }),
  fc.record({ drop: name }),
  fc.record({ edit: name, at: fc.nat({ max: 300 }), value: text }),
);

test(
  'no answer that was changed on the way is used',
  async () => {
    const property = fc.asyncProperty(
      fc.array(headerChange, { maxLength: 3 }),
      fc.option(damaged(denial), { nil: undefined }),
      fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
      async (changes, body, status) => {
        const said = await outcome((answer) => {
          let headers = [...answer.headers];
          for (const change of changes) {
            if ('add' in change) headers.push([change.add, change.value]);
            else if ('drop' in change) headers = headers.filter(([each]) => each !== change.drop);
            else
              headers = headers.map(([each, value]) =>
                each === change.edit
                  ? [
                      each,
                      value.slice(0, change.at) + change.value + value.slice(change.at + change.value.length),
                    ]
                  : [each, value],
              );
          }
          return { ...answer, headers, ...(body ? { body } : {}), ...(status ? { status } : {}) };
        });
        // DENIED is what the function said: the change may have been none
        expect(['DENIED', 'ANSWER_REFUSED', 'ANSWER_UNSIGNED', 'UNREACHABLE']).toContain(said);
      },
    );
    await fc.assert(property, parameters);
  },
  limitMs,
);

test(
  'a signed answer with any body is an allow only if it is an empty message with status 200',
  async () => {
    const bodies = fc.oneof(
      damaged(denial),
      fc.json().map((json) => utf8.encode(json)),
      fc.uint8Array({ maxLength: 200 }),
    );
    const property = fc.asyncProperty(
      bodies,
      fc.constantFrom(200, 200, 201, 204, 302, 403, 500),
      async (body, status) => {
        const said = await outcome((answer) => answer, body, status);
        if (said !== 'allowed') {
          expect(['DENIED', 'FUNCTION_ERROR', 'ANSWER_INVALID', 'UNREACHABLE', 'ANSWER_UNSIGNED']).toContain(
            said,
          );
          return;
        }
        expect(status).toBe(200);
        const message: unknown = JSON.parse(new TextDecoder().decode(body));
        expect(typeof message === 'object' && message !== null && !Array.isArray(message)).toBe(true);
      },
    );
    await fc.assert(property, parameters);
  },
  limitMs,
);
