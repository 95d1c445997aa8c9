import type { Mutation } from './mutation.ts';

const policies = 'adapter/policies/ipfilter/index.test.ts';
const scopes = 'adapter/policies/ipfilter/scopes.test.ts';
const store = 'adapter/policies/ipfilter/scope-store.test.ts';
const flood = 'adapter/policies/ipfilter/flood.test.ts';

const rows: readonly (readonly [
  file: string,
  text: string,
  replacement: string,
  test: string,
  why: string,
])[] = [
  // scope and lifetime of an answer
  [
    'scope-store',
    'if (isLater && !verdict.said.allowed) return verdict;',
    '',
    scopes,
    'in an outage, an old allow counts more than the ban that took it back',
  ],
  [
    'scope-store',
    'const isLater = verdict.order >= longest.order && ',
    'const isLater = ',
    scopes,
    'in an outage, an exception from a ban does not count',
  ],
  [
    'verdict-cache',
    '{address.family}$',
    '',
    scopes,
    'an IPv6 address that reads as the number of an IPv4 address shares its question',
  ],
  [
    'verdict-cache',
    '!contains(prefix, single(question)) || ',
    '',
    scopes,
    "a verdict about another address is this one's",
  ],
  [
    'verdict-cache',
    ' || (named & question.protocol) === 0',
    '',
    scopes,
    "a verdict about another protocol is this one's",
  ],
  [
    'verdict-cache',
    'if (prefix.length >= widest) return',
    'if (prefix.length >= 0) return',
    scopes,
    'one answer speaks for the whole internet',
  ],
  [
    'verdict-cache',
    'prefixOf(question.address, widest)',
    'prefixOf(question.address, widest - 1)',
    scopes,
    'a scope is cut to twice what is allowed',
  ],
  [
    'verdict-cache',
    'return Math.min(askedMs, limitMs);',
    'return askedMs;',
    policies,
    'a lifted ban lasts for a day',
  ],
  [
    'verdict-cache',
    'facts.staleMs ?? maxStaleMs,',
    'maxStaleMs,',
    policies,
    'a function cannot say that a verdict is soon worthless',
  ],
  [
    'verdict-cache',
    'asked.protocol}`',
    "''}`",
    scopes,
    'a question about SSH is answered by one about HTTP under way',
  ],
  [
    'verdict-cache',
    'protocols: question.protocol };',
    'protocols: -1 };',
    scopes,
    'without a scope, a verdict is for all protocols',
  ],
  [
    'index',
    'limit(questions(section.maxUnanswered))',
    'limit()',
    flood,
    'a flood waits for the function, each address with a request of its own',
  ],
  [
    'protocols',
    'this.#bits.get(protocol) ?? 0',
    'this.#bits.get(protocol) ?? -1',
    scopes,
    'a protocol that nobody knows stands for all',
  ],
  [
    'protocols',
    'if (this.#bits.size >= 31) return overflow;',
    'if (this.#bits.size >= 31) return 1;',
    scopes,
    'the 32nd protocol is SSH',
  ],
  // the map
  ['scope-store', '(a, b) => b - a', '(a, b) => a - b', scopes, 'the widest network decides'],
  [
    'scope-store',
    '(verdict.protocols & protocol) !== 0',
    'protocol !== 0',
    scopes,
    'one protocol answers for another',
  ],
  [
    'scope-store',
    'if (allowed && !other.said.allowed && stays(other))',
    'if (Number(0))',
    scopes,
    'an allow replaces a fresh deny',
  ],
  [
    'scope-store',
    'other.epoch === entry.epoch && nowMs < other.freshUntil',
    'nowMs >= 0',
    scopes,
    'an address is denied for ever by a stale verdict',
  ],
  [
    'scope-store',
    'if (!stays(other)) this.#narrow(',
    'this.#narrow(',
    scopes,
    'an allow of a network lifts the ban of an address in it',
  ],
  [
    'scope-store',
    'if (isOver(verdict, nowMs)) {',
    'if (Number(0)) {',
    store,
    'a verdict that is over hides the one of the network around it',
  ],
  ['scope-store', ' || this.bytes > this.#options.maxBytes', '', store, 'long reasons fill the memory'],
  ['scope-store', 'this.#size > this.#options.maxEntries || ', '', store, 'addresses fill the memory'],
  [
    'scope-store',
    'verdict.used && !isOver(verdict, nowMs)',
    'Number(0) === 1',
    store,
    'a flood drives out the verdicts that are in use',
  ],
  [
    'scope-store',
    'String.fromCharCode(bits >>> 16, bits & 0xffff, length)',
    'String.fromCharCode(bits >>> 16, bits & 0xfff0, length)',
    scopes,
    'neighbours share a verdict',
  ],
  ['said', 'this.#bytes -= bytesOf(said);', '', store, 'the memory shrinks to nothing'],
  [
    'said',
    'JSON.stringify([allowed, evidence, version, keyid, reason])',
    'JSON.stringify([evidence, version, keyid, reason])',
    scopes,
    'a deny with the words of an allow is an allow',
  ],
  // floods and outages
  [
    'on-unavailable',
    ' && outage.isConfirmed()',
    '',
    flood,
    'a flood that makes the function late buys an allow',
  ],
  ['on-unavailable', ' || isOverload(error)', '', flood, 'a platform that limits requests lets everybody in'],
  ['outage', 'counts && startedAt - busyAt >= calmMs', 'counts', flood, 'a flood counts as an outage'],
  [
    'outage',
    'asked && isUnavailable(error)',
    'isUnavailable(error)',
    flood,
    'a list with a broken line, and whoever floods after a Reload is let in',
  ],
  ['outage', '!isOverload(error) && ', '', flood, 'a throttled function counts as an outage'],
  [
    'outage',
    'performance.now() - failedAt <= holdsMs',
    'failedAt > 0',
    flood,
    'an outage of yesterday excuses a flood',
  ],
  [
    'outage',
    '          failedAt = Number.NEGATIVE_INFINITY;\n          return reply;',
    '          return reply;',
    flood,
    'an outage that is over excuses a flood',
  ],
];

/** What a verdict must not decide, what must not fill the memory, and what nobody may buy by a flood. */
export const mutations: readonly Mutation[] = [
  ...rows.map(([file, text, replacement, test, why]) => ({
    file: `adapter/policies/ipfilter/${file}.ts`,
    text,
    replacement,
    tests: [test],
    why,
  })),
  ...(
    [
      ['        drifted = true;\n', '', 'changed code, and everybody is still answered by what the old said'],
      [
        'call.deadlineMs - Math.min(earlierMs, leftMs * earlierShare)',
        'call.deadlineMs',
        'a black hole is not seen as an outage in time',
      ],
    ] as const
  ).map(([text, replacement, why]) => ({
    file: 'adapter/policies/shared/cache.ts',
    text,
    replacement,
    tests: [policies, flood],
    why,
  })),
  {
    file: 'adapter/invoke/verify.ts',
    text: 'if (unsigned && answer.status === 429)',
    replacement: 'if (Number(0))',
    tests: ['adapter/invoke/index.test.ts'],
    why: 'whoever uses up a quota is let in by onUnavailable',
  },
  {
    file: 'adapter/targets/lambda/failure.ts',
    text: "throttled: name === 'TooManyRequestsException',",
    replacement: '',
    tests: ['adapter/targets/lambda/failure.test.ts'],
    why: 'whoever fills the concurrency is let in by onUnavailable',
  },
  {
    file: 'adapter/policies/ipfilter/on-unavailable.ts',
    text: '        warn(error.code);\n',
    replacement: '',
    tests: ['adapter/policies/ipfilter/index.test.ts'],
    why: 'the door stands open and nobody is told',
  },
];
