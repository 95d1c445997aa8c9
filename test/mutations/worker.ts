import type { Mutation } from './mutation.ts';

const evidence = 'adapter/targets/worker/evidence.test.ts';
const api = 'adapter/targets/worker/api.test.ts';
const versionUrl = 'adapter/targets/worker/version-url.test.ts';
const settings = 'adapter/targets/worker/settings.test.ts';
const kit = 'functions/kit/settings.test.ts';

const check = 'adapter/targets/worker/deployment-check.ts';
const verifier = 'adapter/targets/worker/evidence.ts';
const configuration = 'adapter/targets/worker/configuration.ts';

/** One defect for each check of the worker target. */
export const mutations: readonly Mutation[] = [
  {
    file: check,
    text: 'if (accepted === undefined) throw notLocked(name, version, locked.accepts);',
    replacement: 'if (accepted === undefined) continue;',
    tests: [evidence],
    why: 'a version beside the locked ones takes part of the traffic unnoticed',
  },
  {
    file: check,
    text: 'if (different.length > 0) throw differing(name, version, different);',
    replacement: '',
    tests: [evidence],
    why: 'what differs from the lock is accepted',
  },
  {
    file: check,
    text: '? compareSettings(accepted, worker)',
    replacement: '? []',
    tests: [evidence],
    why: 'a tail consumer that is added later reads the logs of every call',
  },
  {
    file: check,
    text: 'if (Date.now() - goodAtMs <= servesOnMs) return undefined;',
    replacement: 'if (goodAtMs > 0) return undefined;',
    tests: [evidence],
    why: 'a control plane that is away hides a deployment for ever',
  },
  {
    file: check,
    text: '|| !(atMs <= Date.now() + hourMs)) continue;',
    replacement: ') continue;',
    tests: [evidence],
    why: 'a clock that was set back makes seven days longer',
  },
  {
    file: check,
    text: 'if (before?.digest !== digest ||',
    replacement: 'if (before === undefined ||',
    tests: [evidence],
    why: 'what was verified against another lock counts for this one',
  },
  {
    file: check,
    text: 'for (const version of lock.keys()) void known.forget(name, version);',
    replacement: '',
    tests: [evidence],
    why: 'a restart while the API is away takes the deployment that drifted for the one before',
  },
  {
    file: check,
    text: 'if (running === undefined && !mayLookUp()) return false;',
    replacement: '',
    tests: [evidence],
    why: "random version ids use up the account's share of the API",
  },
  {
    file: check,
    text: 'const due = nowMs - savedAtMs >= hourMs;',
    replacement: 'const due = false;',
    tests: [evidence],
    why: 'seven days count from the first look at a version: a long-running service ends at a restart',
  },
  {
    file: check,
    text: '[drift, failure, goodAtMs] = [undefined, undefined, nowMs];',
    replacement: '[failure, goodAtMs] = [undefined, nowMs];',
    tests: [evidence],
    why: 'service does not return when a deployment is mended',
  },
  {
    file: check,
    text: 'const versions = new Set(extra === undefined ? active : [...active, extra]);',
    replacement: 'const versions = new Set(active);',
    tests: [evidence],
    why: 'a locked version that answers before the API lists it is refused',
  },
  {
    file: verifier,
    text: 'if (known && check.isVerified(claimed) && check.problem() === undefined) return evidence;',
    replacement: 'if (known && check.isVerified(claimed)) return evidence;',
    tests: [evidence],
    why: 'an answer under a deployment that drifted meanwhile is used',
  },
  {
    file: verifier,
    text: 'if (known && check.isVerified(claimed) && check.problem() === undefined) return evidence;',
    replacement: 'if (known && check.problem() === undefined) return evidence;',
    tests: [evidence],
    why: 'a version that was never compared is taken while the API is away',
  },
  {
    file: verifier,
    text: 'if (problem !== undefined) throw problem;',
    replacement: '',
    tests: [evidence],
    why: 'calls are sent to a deployment that drifted',
  },
  {
    file: verifier,
    text: "if (problem.code !== 'UNREACHABLE') return problem;",
    replacement: 'if (problem !== undefined) return problem;',
    tests: [evidence],
    why: 'a login that was executed is sent again because the API is away',
  },
  {
    file: verifier,
    text: 'if (check === undefined || (byVersionUrl && !known)) {\n        if (known) return evidence;',
    replacement: 'if (check === undefined || (byVersionUrl && !known)) {\n        return evidence;',
    tests: [evidence],
    why: 'without a token, any version is taken',
  },
  {
    file: verifier,
    text: 'const versions = byVersionUrl ? [last] : locked.accepts.map(({ version }) => version);',
    replacement: 'const versions = locked.accepts.map(({ version }) => version);',
    tests: [evidence],
    why: 'another version than the pinned one counts as pinned',
  },
  {
    file: configuration,
    text: "sha256Hex(Buffer.from(content, 'base64')),",
    replacement: "sha256Hex(Buffer.from('')),",
    tests: [evidence],
    why: 'the code is not compared',
  },
  {
    file: configuration,
    text: 'compatibilityFlags: [...(version.compatibility_flags ?? [])].sort(),',
    replacement: 'compatibilityFlags: [],',
    tests: [evidence],
    why: 'a flag that changes what the code means is not compared',
  },
  {
    file: configuration,
    text: 'if (secretTypes.has(type)) return { type };',
    replacement: "if (type !== '') return { type };",
    tests: [evidence],
    why: 'a binding to another store is not noticed',
  },
  {
    file: 'adapter/targets/worker/compare.ts',
    text: '[...new Set([...Object.keys(expected), ...Object.keys(found)])]',
    replacement: '[...new Set(Object.keys(expected))]',
    tests: [evidence],
    why: 'a module or binding that was added is not noticed',
  },
  {
    file: 'adapter/targets/worker/api.ts',
    text: 'if (version.id === id && version.modules !== undefined) return version;',
    replacement: 'if (version.id !== "") return version;',
    tests: [api],
    why: 'an endpoint that shows another version, or none of its code, proves this one',
  },
  {
    file: 'adapter/targets/worker/api.ts',
    text: 'if (length > maxBytes) throw',
    replacement: 'if (length > 10 * maxBytes) throw',
    tests: [api],
    why: 'an answer without end fills the memory of the SFTPGo machine',
  },
  {
    file: 'adapter/targets/worker/api.ts',
    text: 'if (status === 404 && !noRoute.has(code)) throw noSuch(missing, functionName);',
    replacement: '',
    tests: [api],
    why: 'a Worker that was deleted counts as an API that is away',
  },
  {
    file: 'adapter/targets/worker/version-url.ts',
    text: 'if (object !== undefined) {',
    replacement: 'if (object === null) {',
    tests: [versionUrl],
    why: 'a Worker without version URLs is called at an address that does not exist',
  },
  {
    file: 'adapter/targets/worker/version-url.ts',
    text: 'if (worker !== undefined && worker !== label) {',
    replacement: 'if (worker === null) {',
    tests: [versionUrl],
    why: "another Worker's version with the same first digits could be called",
  },
  {
    file: 'adapter/targets/worker/settings.ts',
    text: "exposure: 'secret',",
    replacement: "exposure: 'public',",
    tests: [settings],
    why: 'other users of the machine read the token',
  },
  {
    file: 'functions/kit/answer.ts',
    text: 'version ?? ownBuildId()',
    replacement: 'ownBuildId()',
    tests: [kit],
    why: 'a Worker does not say which version it is, and every answer is refused',
  },
  {
    file: check,
    text: 'void known.put(name, version, { digest, at, facts: {} });',
    replacement: 'await known.put(name, version, { digest, at, facts: {} });',
    tests: [evidence],
    why: 'a state folder that hangs ends all looks, and drift is never found',
  },
];
