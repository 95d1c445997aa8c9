import type { Mutation } from './mutation.ts';

const folder = 'adapter/cli/host-config';

/** Mutations of what `host-config` derives and refuses. */
const rows: readonly (readonly [
  file: string,
  text: string,
  replacement: string,
  test: string,
  why: string,
])[] = [
  [
    'auth-options.ts',
    'CheckUserAndPublicKey: 2,',
    'CheckUserAndPublicKey: 3,',
    'auth-options.test.ts',
    'a function for keys gets the passwords of all users, and denies them',
  ],
  [
    'auth-options.ts',
    'handles.has(rpc) ? sum | bit : sum',
    'sum | bit',
    'auth-options.test.ts',
    'every login goes to a function that handles some of them',
  ],
  [
    'auth-options.ts',
    'if (scope === 0) {',
    'if (scope < 0) {',
    'auth-options.test.ts',
    'SFTPGo refuses scope 0',
  ],
  [
    'auth-options.ts',
    "if (begins && !handles.has('CheckUserAndPass')) {",
    "if (!begins && !handles.has('CheckUserAndPass')) {",
    'auth-options.test.ts',
    'scope 4 alone: no keyboard-interactive login ever ends',
  ],
  [
    'auth-options.ts',
    "if (begins && !handles.has('SendKeyboardAuthRequest')) {",
    'if (begins && !handles.size) {',
    'auth-options.test.ts',
    'dialogues begin that nobody goes on with',
  ],
  [
    'notifier-options.ts',
    'handles.includes(rpc) ? list : []',
    'list',
    'notifier-options.test.ts',
    'events that nobody handles fill the queue',
  ],
  [
    'notifier-options.ts',
    'if (fs.length === 0 && !provider && !logIsEnough)',
    'if (fs.length < 0)',
    'notifier-options.test.ts',
    'an entry with no events: SFTPGo does not start',
  ],
  [
    'notifier-options.ts',
    'log.length > 0 && isAtLeast(version, logEventsSince.alone)',
    'log.length > 0',
    'notifier-options.test.ts',
    'log events alone before 2.6.0: SFTPGo does not start',
  ],
  [
    'notifier-options.ts',
    'Math.ceil(retry.maxTime / 1000)',
    'retry.maxTime',
    'notifier-options.test.ts',
    'a queue for three years instead of one day',
  ],
  [
    'environment.ts',
    'if (first + entries.length - 1 > lastEntry) {',
    'if (first > lastEntry) {',
    'environment.test.ts',
    'entries that SFTPGo never reads',
  ],
  [
    'environment.ts',
    "if (!item.includes(',')) return",
    'return',
    'environment.test.ts',
    'a comma makes two arguments of one',
  ],
  [
    'environment.ts',
    'if (!/[\\r\\n]/.test(text)) return text;',
    'return text;',
    'environment.test.ts',
    'a line feed makes a variable of its own',
  ],
  [
    'sftpgo-version.ts',
    "'<': (sign) => sign < 0,",
    "'<': (sign) => sign <= 0,",
    'sftpgo-version.test.ts',
    'metadata for 2.6.0, which then does not start',
  ],
  [
    'sftpgo-version.ts',
    'a[0] - b[0] || a[1] - b[1] || a[2] - b[2]',
    'a[0] - b[0] || a[2] - b[2] || a[1] - b[1]',
    'sftpgo-version.test.ts',
    'releases are compared in another order',
  ],
  [
    'entries.ts',
    'if (version !== undefined) refuseUnknownType(type, version);',
    '',
    'index.test.ts',
    'a type that the release does not have stops SFTPGo',
  ],
  [
    'entries.ts',
    "...(isAtLeast(version, '2.6.0') ? { env_prefix: envPrefix } : {}),",
    'env_prefix: envPrefix,',
    'index.test.ts',
    'a key that the release does not know',
  ],
  [
    'entries.ts',
    'refuseUnknownScheme(options.scheme, version);',
    '',
    'index.test.ts',
    'a kms scheme that stops SFTPGo',
  ],
];

const inFolder = rows.map(
  ([file, text, replacement, test, why]): Mutation => ({
    file: `${folder}/${file}`,
    text,
    replacement,
    tests: [`${folder}/${test}`],
    why,
  }),
);

export const mutations: readonly Mutation[] = [
  ...inFolder,
  {
    file: 'adapter/policies/notifier/config.ts',
    text: 'duration({ minMs: 60_000 })',
    replacement: 'duration({ minMs: 0 })',
    tests: [`${folder}/notifier-options.test.ts`],
    why: 'a retry time with which SFTPGo never tries again',
  },
  {
    file: 'adapter/policies/notifier/events.ts',
    text: '!/^(first|pre)-/.test(name)',
    replacement: "name !== ''",
    tests: [`${folder}/notifier-options.test.ts`],
    why: 'each upload is told three times',
  },
];
