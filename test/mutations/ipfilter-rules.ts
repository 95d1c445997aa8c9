import type { Mutation } from './mutation.ts';

const agreement = 'functions/ipfilter/engine.test.ts';
const sources = 'functions/ipfilter/sources.test.ts';
const rules = 'functions/ipfilter/rules.test.ts';
const list = 'proto/net/network-list.test.ts';
const mmdb = 'functions/ipfilter/mmdb/reader.test.ts';
const keep = 'functions/ipfilter/source/keep.test.ts';
const read = 'functions/ipfilter/source/read.test.ts';
const check = 'functions/ipfilter/check.test.ts';
const verdict = 'functions/ipfilter/index.test.ts';

/** One defect for each check of the rule engine, its lists and its databases. */
export const mutations: readonly Mutation[] = [
  {
    file: 'functions/ipfilter/decide.ts',
    text: '    length = Math.max(length, consulted.length);\n',
    replacement: '',
    tests: [agreement],
    why: 'a verdict is reused for neighbours of another country, or on no list',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: '  length = Math.max(length, treeLength);\n',
    replacement: '',
    tests: [agreement],
    why: 'a verdict is reused outside the networks of its rule',
  },
  {
    file: 'functions/ipfilter/engine.ts',
    text: '    other.length <= outcome.length\n',
    replacement: '    true\n',
    tests: [agreement],
    why: 'a verdict is reused for another protocol in a wider network than it holds for',
  },
  {
    file: 'functions/ipfilter/engine.ts',
    text: 'decided.get(index) ?? isSame(decideFor(column, about), outcome);',
    replacement: 'true;',
    tests: [agreement],
    why: 'an allow for one protocol is reused for another that is denied',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: 'if (isPrivate) return undefined;',
    replacement: '',
    tests: [agreement],
    why: 'a private address counts as one of an unknown country',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: "value === undefined ? policy.unknown === 'deny' && rule.action === 'deny' : has(set, value);",
    replacement: 'value !== undefined && has(set, value);',
    tests: [agreement],
    why: 'a rule that keeps countries out lets in whom the database does not know',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: "return policy.unknown === 'deny' ? filed.denying : [];",
    replacement: 'return [];',
    tests: [agreement],
    why: 'the same, where the rule has no networks',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: 'const verdict = fallback ? policy.unknown : policy.default;',
    replacement: 'const verdict = policy.default;',
    tests: [agreement],
    why: 'an address of an unknown country gets the default in silence',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: "        if (rule.action !== 'continue') return said;\n        unasked = said;\n",
    replacement: '',
    tests: [sources],
    why: 'without its database a deny rule with networks and countries stops nobody',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: "        if (rule.action === 'continue') continue;\n        return said;\n",
    replacement: '        continue;\n',
    tests: [sources],
    why: 'without its list a deny rule stops nobody',
  },
  {
    file: 'functions/ipfilter/network-tree.ts',
    text: 'const rules = own.filter((index) => index <= decided);',
    replacement: 'const rules = own.filter((index) => index < decided);',
    tests: [verdict],
    why: 'the rule that decides for a network is dropped',
  },
  {
    file: 'functions/ipfilter/network-tree.ts',
    text: 'if (after !== undefined) stretches.begin(after, open.at(-1)?.node);',
    replacement: '',
    tests: [agreement],
    why: 'a rule counts beyond the end of its network',
  },
  {
    file: 'functions/ipfilter/rules.ts',
    text: 'if (list[key] === undefined && located < 0) continue;',
    replacement: 'if (list[key] === undefined) continue;',
    tests: [rules],
    why: 'nobody said what happens to private and unknown addresses',
  },
  {
    file: 'functions/ipfilter/private.ts',
    text: "  '100.64.0.0/10',\n",
    replacement: '',
    tests: ['functions/ipfilter/million.slow.test.ts', agreement],
    why: 'addresses behind a carrier count as unknown',
  },
  {
    file: 'functions/ipfilter/check.ts',
    text: 'limits.push({ prefixLength: single, ...said?.passed });',
    replacement: 'limits.push({ ...said?.passed });',
    tests: [check],
    why: 'an allow is reused for neighbours that are banned',
  },
  {
    file: 'functions/kit/ipfilter.ts',
    text: 'Math.max(Math.ceil(verdict.prefixLength ?? single), widest)',
    replacement: 'Math.max(Math.ceil(verdict.prefixLength ?? single), 0)',
    tests: [verdict],
    why: 'one verdict decides for a quarter of the internet',
  },
  {
    file: 'functions/kit/ipfilter.ts',
    text: 'const protocolName = /^[A-Za-z]{1,32}$/;',
    replacement: 'const protocolName = /^[ -~]+$/;',
    tests: ['functions/kit/serve.test.ts'],
    why: 'a protocol named "SSH FTP" claims a verdict for two others',
  },
  {
    file: 'functions/ipfilter/source/keep.ts',
    text: 'held = { value: held.value, problem, brokenSinceMs };',
    replacement: 'held = { value: undefined, problem, brokenSinceMs };',
    tests: [keep],
    why: 'a source that breaks takes the last good copy with it',
  },
  {
    file: 'functions/ipfilter/source/keep.ts',
    text: '      if (!isCurrent()) return held;\n      if (content',
    replacement: '      if (content',
    tests: [keep],
    why: 'a read that was given up brings back an old list',
  },
  {
    file: 'functions/ipfilter/source/keep.ts',
    text: 'return age < 0 || age >= lifeMs;',
    replacement: 'return age >= lifeMs;',
    tests: [keep],
    why: 'a clock that is set back keeps a list for years',
  },
  {
    file: 'functions/ipfilter/source/read.ts',
    text: "protocol === 'https:' ||",
    replacement: "protocol === 'https:' || protocol === 'http:' ||",
    tests: [read],
    why: 'somebody on the way writes the list',
  },
  {
    file: 'proto/net/network-list.ts',
    text: "if (options.onBrokenLine === 'refuse')",
    replacement: 'if (false)',
    tests: [list],
    why: 'a list of which half is a page of HTML is taken',
  },
  {
    file: 'proto/net/network-list.ts',
    text: "if (text.trim() === '') {",
    replacement: 'if (false) {',
    tests: [list],
    why: 'a file that was cut to nothing lets everybody pass that it kept out',
  },
  {
    file: 'proto/net/network-list.ts',
    text: 'if (length > 32 || maskIPv4(bits, length) >>> 0 !== bits) return false;',
    replacement: 'if (length > 32) return false;',
    tests: [list],
    why: 'a typing mistake becomes another network',
  },
  {
    file: 'proto/net/network-list.ts',
    text: 'length > 128 || isMapped(groups)) return false;',
    replacement: 'length > 128) return false;',
    tests: [list],
    why: 'a mapped network never matches',
  },
  {
    file: 'proto/net/boundaries.ts',
    text: 'before === undefined ? 0 : commonBits(address, before) + 1,',
    replacement: '0,',
    tests: [list],
    why: 'a scope reaches below the border of its network',
  },
  {
    file: 'proto/net/boundaries.ts',
    text: 'after === undefined ? 0 : commonBits(address, after) + 1,',
    replacement: '0,',
    tests: [list],
    why: 'a scope reaches above the border of its network',
  },
  {
    file: 'functions/ipfilter/mmdb/reader.ts',
    text: '  checkTree(read, nodes, data.byteLength);\n',
    replacement: '',
    tests: [mmdb],
    why: 'a database that was cut short is taken, and knows nobody',
  },
  {
    file: 'functions/ipfilter/mmdb/database.ts',
    text: 'if (sample.every((value) => value === undefined)) {',
    replacement: 'if (false) {',
    tests: [mmdb],
    why: 'a database for something else is taken, and every country is unknown',
  },
  {
    file: 'functions/ipfilter/mmdb/decode.ts',
    text: 'if (depth > maxDepth || ++values > maxValues)',
    replacement: 'if (++values > 1e9)',
    tests: [mmdb],
    why: 'a record that points to itself ends the isolate',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: "if (rules[number]?.action !== 'continue') return resolved;",
    replacement: 'if (rules[number] !== undefined) return resolved;',
    tests: ['functions/ipfilter/sources.test.ts'],
    why: 'a rule that is only watched fails everybody while its database is away',
  },
  {
    file: 'functions/ipfilter/decide.ts',
    text: '  if (unasked !== undefined && policy.unknown !== undefined && mayDiffer) return unasked;\n',
    replacement: '',
    tests: ['functions/ipfilter/sources.test.ts'],
    why: 'without its database, an unknown address comes in by the default',
  },
];
