import type { Mutation } from './mutation.ts';

/** Defects that the properties of test/fuzz find by themselves, whatever the tests of examples do. */
export const mutations: readonly Mutation[] = [
  {
    file: 'adapter/policies/auth/ceiling.ts',
    text: "return typeof after === 'string' && matches(after, ceiling.buckets);",
    replacement: 'return true;',
    tests: ['test/fuzz/users.test.ts'],
    why: 'a user gets the bucket of another team',
  },
  {
    file: 'adapter/policies/auth/ceiling.ts',
    text: 'return after === undefined || (isNew && numberOf(after) === 1n);',
    replacement: 'return true;',
    tests: ['test/fuzz/users.test.ts'],
    why: 'a disabled user is enabled, which inputs made of accepted answers find too',
  },
  {
    file: 'adapter/json/parse.ts',
    text: "if (members.has(key)) throw new JsonError('a key occurs twice in one object');",
    replacement: '',
    tests: ['test/fuzz/users.test.ts'],
    why: 'a key that comes twice is taken, anywhere in a user',
  },
  {
    file: 'proto/signature/verify-answer.ts',
    text: 'components: answerComponents(fields.keys()),',
    replacement:
      "components: answerComponents([...fields.keys()].filter((name) => !name.startsWith('plugin-') || (fields.get('signature-input') ?? '').includes(name))),",
    tests: ['test/fuzz/answers.test.ts'],
    why: 'a plugin-* header that the signature does not cover is put in on the way, and read',
  },
  {
    file: 'adapter/targets/lambda/event.ts',
    text: "bytes.toString('base64') !== body ||",
    replacement: '',
    tests: ['test/fuzz/answers.test.ts'],
    why: 'a payload says the same answer in other letters',
  },
  {
    file: 'adapter/policies/auth/grants.ts',
    text: "const shown = send === 'full' ? input.user : new TextEncoder().encode(formatJson(minimise(record)));",
    replacement: 'const shown = input.user;',
    tests: ['test/fuzz/grpc.test.ts'],
    why: 'some secret of some user leaves the host',
  },
  {
    file: 'proto/codec.ts',
    text: "const integer = typeof json === 'string' && /^-?(0|[1-9]\\d{0,18})$/.test(json) ? BigInt(json) : json;",
    replacement: "const integer = typeof json === 'string' ? BigInt(Number(json)) : json;",
    tests: ['test/fuzz/grpc.test.ts'],
    why: 'an int64 of the host arrives rounded at the function',
  },
  {
    file: 'proto/lock/schema.ts',
    text: "if ('problem' in address) {",
    replacement: 'if (false) {',
    tests: ['test/fuzz/lock.test.ts'],
    why: 'a sealed lock sends users to plain http, or to an alias of a Lambda function',
  },
  {
    file: 'adapter/policies/ipfilter/local-verdicts.ts',
    text: 'if (parseAddress(asked.ip) === undefined) {',
    replacement: 'if (false) {',
    tests: ['test/fuzz/grpc.test.ts'],
    why: 'onUnavailable: allow lets in whatever is no address',
  },
];
