import type { Mutation } from './mutation.ts';

const bans = 'functions/ipfilter/bans/index.test.ts';
const network = 'proto/bans/network.test.ts';
const store = 'functions/ipfilter/bans/store.test.ts';
const dynamo = 'test/runtimes/dynamo-bans.test.ts';
const workerd = 'test/runtimes/bans.test.ts';
const report = 'functions/kit/report.test.ts';

/** One defect for each check of bans, of who may make them, and of reports. */
export const mutations: readonly Mutation[] = [
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'if (!caller.reporter)',
    replacement: 'if (!caller.keyid)',
    tests: [bans],
    why: 'any adapter bans, listed or not',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: "if (what === 'manage' && !caller.adapter)",
    replacement: "if (what !== 'manage' && what !== 'report')",
    tests: [bans],
    why: 'the key of a function that was broken into lifts the bans on its attacker',
  },
  {
    file: 'functions/kit/serve.ts',
    text: 'const keys = service?.callers(settings) ?? callers;',
    replacement: 'const keys = (keyid: string) => callers(keyid) ?? settings.reporters(keyid);',
    tests: [bans],
    why: 'a reporter calls what only adapters may',
  },
  {
    file: 'proto/bans/network.ts',
    text: 'if (prefix.length >= shortest) return prefix;',
    replacement: 'if (shortest > 0) return prefix;',
    tests: [network],
    why: 'a ban of 0.0.0.0/0 keeps everybody out',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'Math.min(Number(input.forMs), maxForMs)',
    replacement: 'Number(input.forMs)',
    tests: [bans],
    why: 'a ban for ever',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'if (forMs < 1000)',
    replacement: 'if (forMs < -1e9)',
    tests: [bans],
    why: 'a ban that has ended is reported as made',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'if (overlaps(prefix, never))',
    replacement: 'if (never === undefined)',
    tests: [bans],
    why: 'a reporter bans the office',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'contains(other, network) || contains(network, other)',
    replacement: 'contains(other, network)',
    tests: [bans],
    why: 'a wide ban takes the office with it',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'overlaps(network, options.never);',
    replacement: 'rate.attempts === 0;',
    tests: [bans],
    why: 'a wrong password in the office, twenty times, bans the office',
  },
  {
    file: 'functions/ipfilter/bans/service.ts',
    text: 'formatReason(input.reason), by: caller.keyid',
    replacement: 'input.reason, by: caller.keyid',
    tests: [bans],
    why: 'a reporter writes lines of its own into the list that an administrator reads',
  },
  {
    file: 'functions/ipfilter/bans/index.ts',
    text: 'if (never.some((network) => contains(network, address))) return passed;',
    replacement: '',
    tests: [bans],
    why: 'an old ban keeps out what is never banned',
  },
  {
    file: 'functions/ipfilter/bans/index.ts',
    text: 'overlaps(prefix, never) ?',
    replacement: 'prefix.length < 0 ?',
    tests: [bans],
    why: 'the adapter denies the office for the ban of its neighbour',
  },
  {
    file: 'functions/ipfilter/bans/index.ts',
    text: 'Math.min(untilMs - nowMs, maxVerdictMs)',
    replacement: 'maxVerdictMs',
    tests: [bans],
    why: 'a verdict outlives its ban',
  },
  {
    file: 'functions/ipfilter/bans/index.ts',
    text: 'forMs: reachMs',
    replacement: 'forMs: 300_000',
    tests: [bans],
    why: 'a ban is felt later than the documents say',
  },
  {
    file: 'functions/ipfilter/bans/options.ts',
    text: "if (counting === 'approximate' && rate.approximate !== true) {",
    replacement: "if (counting === 'approximate' && rate.approximate === undefined && rate.attempts < 0) {",
    tests: [bans],
    why: 'bans by rate on KV look exact and are not',
  },
  {
    file: 'functions/ipfilter/bans/options.ts',
    text: 'if (protocols !== undefined) checkProtocols(protocols, of);',
    replacement: '',
    tests: [bans],
    why: 'offences by "SFTP" count nowhere, and nobody is banned',
  },
  {
    file: 'functions/ipfilter/bans/object.ts',
    text: 'if (!this.#isNew(id, nowMs)) return this.#banOf(ban.network) ?? ban;',
    replacement: 'this.#isNew(id, nowMs);',
    tests: [store],
    why: 'a replayed call bans again what was unbanned',
  },
  {
    file: 'functions/ipfilter/bans/object.ts',
    text: '    if (!this.#isNew(id, nowMs)) {\n      const ban',
    replacement: '    if (!this.#isNew(id, nowMs) && id === network) {\n      const ban',
    tests: [store],
    why: 'one report, replayed, is a ban',
  },
  {
    file: 'functions/ipfilter/bans/object.ts',
    text: 'WHERE excluded.until > until`',
    replacement: '`',
    tests: [store],
    why: 'a function shortens the ban of an administrator',
  },
  {
    file: 'functions/ipfilter/bans/object.ts',
    text: 'LIMIT max(0, (SELECT count(*)',
    replacement: 'LIMIT 0 * max(0, (SELECT count(*)',
    tests: [store],
    why: 'a flood of addresses fills the disk of the object',
  },
  {
    file: 'functions/ipfilter/bans/offences.ts',
    text: 'Math.abs(nowMs - timeMs) < perMs',
    replacement: 'timeMs <= nowMs',
    tests: [store],
    why: 'twenty wrong passwords in a year are a ban',
  },
  {
    file: 'functions/ipfilter/bans/kv.ts',
    text: "if (typeof network !== 'string' || typeof untilMs !== 'number') throw new TypeError('not a ban');",
    replacement:
      "if (typeof network !== 'string' || typeof untilMs !== 'number') return Object(value) as Stored;",
    tests: [store],
    why: 'what somebody else wrote into KV counts as "no ban"',
  },
  {
    file: 'functions/ipfilter/bans/kv.ts',
    text: 'before.id === id ||',
    replacement: '',
    tests: [store],
    why: 'a replayed call bans again what was unbanned, in KV',
  },
  {
    file: 'functions/ipfilter/bans/memory.ts',
    text: 'if (/[^0]/.test(ownBuildId())) {',
    replacement: 'if (false) {',
    tests: [workerd],
    why: 'bans in production that one instance knows until it ends',
  },
  {
    file: 'functions/ipfilter/bans/dynamo.ts',
    text: '(#u < :until AND #i <> :id)',
    replacement: '#u < :until',
    tests: [dynamo],
    why: 'a replayed call bans again what was unbanned, in DynamoDB',
  },
  {
    file: 'functions/kit/report.ts',
    text: '  await verifyAnswer(answer, { request, keys, crypto: webCrypto });\n',
    replacement: '',
    tests: [report],
    why: "a proxy's page is taken for a report that was made",
  },
  {
    file: 'adapter/cli/bans/call.ts',
    text: 'if (!files.locked.handles.includes(',
    replacement: 'if ([].includes(',
    tests: [workerd],
    why: 'a function without bans is called, and its refusal blames the key',
  },
  {
    file: 'functions/ipfilter/bans/kv.ts',
    text: 'const minTtlS = 120;',
    replacement: 'const minTtlS = 60;',
    tests: ['functions/ipfilter/bans/store.test.ts'],
    why: 'a call that is sent again bans again, after its short ban has ended',
  },
];
