import type { Mutation } from './mutation.ts';

const folder = 'infra/deploy/worker';
const publish = `${folder}/publish.slow.test.ts`;
const compare = `${folder}/compare.test.ts`;
const shift = `${folder}/shift.test.ts`;
const settings = `${folder}/settings.test.ts`;
const key = `${folder}/key.test.ts`;
const api = `${folder}/api.test.ts`;

/** One defect for each check between a build and a Worker's place in the lock, and of its logs. */
export const mutations: readonly Mutation[] = [
  {
    file: `${folder}/publish.ts`,
    text: 'checkBytes(expected, artifact);',
    replacement: '',
    tests: [publish],
    why: 'wrangler sends other bytes than were built: its own bundle, or a changed file',
  },
  {
    file: `${folder}/publish.ts`,
    text: 'if (difference !== undefined) throw notSet(session, difference) ?? driftOf(fn.id, id, difference);',
    replacement: '',
    tests: [publish],
    why: 'what Cloudflare has of a version is locked unseen',
  },
  {
    file: `${folder}/publish.ts`,
    text: 'if (found && worker && differences(expected, found, worker).length === 0) return found;',
    replacement: 'if (found && worker) return found;',
    tests: [publish],
    why: 'an older version with other settings passes for the one that was built',
  },
  {
    file: `${folder}/publish.ts`,
    text: 'await writeFile(file, JSON.stringify(creationConfig(settings, plan.bundle)));',
    replacement: 'await writeFile(file, JSON.stringify(settings.raw));',
    tests: [publish],
    why: 'a new Worker has its address before the lock has the Worker',
  },
  {
    file: `${folder}/creation.ts`,
    text: 'routes: [], workers_dev: false,',
    replacement: 'workers_dev: false,',
    tests: [`${folder}/creation.test.ts`],
    why: 'a route moves to a Worker that no lock has',
  },
  {
    file: `${folder}/wrangler.ts`,
    text: "  WRANGLER_WRITE_LOGS: 'false',",
    replacement: '',
    tests: [publish],
    why: "wrangler's log of debugging is on the disk, with whole requests",
  },
  {
    file: `${folder}/compare.ts`,
    text: 'new Set([...Object.keys(expected), ...Object.keys(found)])',
    replacement: 'new Set(Object.keys(expected))',
    tests: [compare],
    why: 'a binding or module that was added is not seen',
  },
  {
    file: `${folder}/compare.ts`,
    text: 'return [...files, ...config];',
    replacement: 'return config;',
    tests: [compare],
    why: 'other bytes with the same settings are the same version',
  },
  {
    file: `${folder}/shift.ts`,
    text: 'const unknown = shares.find((share) => !accepted.has(share.version));',
    replacement: 'const unknown = undefined as Share | undefined;',
    tests: [shift],
    why: 'a version gets calls that the host has to refuse',
  },
  {
    file: `${folder}/key.ts`,
    text: 'if (keyid === placed) return { keyid, keys: known };',
    replacement: 'return { keyid, keys: known };',
    tests: [key],
    why: 'the lock names a key that the version does not have',
  },
  {
    file: `${folder}/key.ts`,
    text: "return typeof text === 'string' && of('PLUGIN_KEY', 'secret_text') !== undefined ? text : undefined;",
    replacement: "return typeof text === 'string' ? text : undefined;",
    tests: [key],
    why: 'a Worker whose secret was deleted is deployed without a key',
  },
  {
    file: `${folder}/settings.ts`,
    text: "if (vars['PLUGIN_KEY'] !== undefined) {",
    replacement: "if (vars['PLUGIN_KEY'] === 'never') {",
    tests: [settings],
    why: 'a private key as a variable is shown by the API and in the dashboard',
  },
  {
    file: `${folder}/settings.ts`,
    text: 'if ((settings.tail_consumers ?? []).length > 0) {',
    replacement: 'if ((settings.tail_consumers ?? []).length > 9) {',
    tests: [settings],
    why: 'another Worker reads the log of every call',
  },
  {
    file: `${folder}/settings.ts`,
    text: 'if (settings.no_bundle !== true) {',
    replacement: 'if (settings.no_bundle === undefined) {',
    tests: [settings],
    why: 'wrangler bundles again, and other bytes run than were built',
  },
  {
    file: `${folder}/api.ts`,
    text: "redirect: 'error',",
    replacement: '',
    tests: [api],
    why: 'the token follows a redirect to somebody else',
  },
  {
    file: `${folder}/api.ts`,
    text: '&& !codes.some((code) => noRoute.has(code))) return undefined;',
    replacement: ') return undefined;',
    tests: [api],
    why: 'with a wrong account a Worker that is there is taken for a new one',
  },
  {
    file: 'infra/logs/line.ts',
    text: '[\\p{Cc}\\p{Bidi_Control}\\u2028\\u2029]+',
    replacement: '[\\n]+',
    tests: ['infra/logs/merge.test.ts'],
    why: 'what a stranger sent to a function steers the terminal of who reads its log',
  },
  {
    file: 'infra/logs/worker.ts',
    text: "const text = message ?? error ?? (typeof source === 'string' ? source : 'an event without a message');",
    replacement: 'const text = message ?? error ?? JSON.stringify(source);',
    tests: ['infra/logs/worker.test.ts'],
    why: 'events show the request that came with them, headers included',
  },
];
