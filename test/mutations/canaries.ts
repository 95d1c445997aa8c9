import type { Mutation } from './mutation.ts';

/** Mutations of what keeps secrets out of the log. */
const rows: readonly (readonly [
  file: string,
  text: string,
  replacement: string,
  test: string,
  why: string,
])[] = [
  [
    'adapter/cli/log-failure.ts',
    '(quotesSecret(input, text) ? withheld : text)',
    'text',
    'adapter/cli/log-failure.test.ts',
    "a function's reason that quotes a password stands in the log",
  ],
  [
    'adapter/cli/log-failure.ts',
    "&& type !== 'auth'",
    '',
    'adapter/cli/log-failure.test.ts',
    'what the code of an author says of a failed login stands in the log',
  ],
  [
    'adapter/role/quoted-secret.ts',
    "  'answers',\n",
    '',
    'adapter/role/quoted-secret.test.ts',
    'one-time codes are no secrets',
  ],
  [
    'adapter/role/quoted-secret.ts',
    "  'user',\n",
    '',
    'adapter/role/quoted-secret.test.ts',
    'hashes of a user record are no secrets',
  ],
  [
    'adapter/role/quoted-secret.ts',
    'encodedForms(secret).some((form) => shares(form, text, words)),',
    'false,',
    'adapter/role/quoted-secret.test.ts',
    'base64 hides a secret',
  ],
  [
    'adapter/role/quoted-secret.ts',
    '[secret, inJson, JSON.stringify(inJson).slice(1, -1)]',
    '[secret]',
    'adapter/role/quoted-secret.test.ts',
    'escapes of JSON hide a secret',
  ],
  [
    'adapter/role/quoted-secret.ts',
    'const base64 = [0, 1, 2]',
    'const base64 = [0]',
    'adapter/role/quoted-secret.test.ts',
    'base64 hides a secret that stands after a byte',
  ],
  [
    'adapter/role/quoted-secret.ts',
    'if (form.length < 2 * pieceLength) return text.includes(form);',
    'if (form.length < 2 * pieceLength) return false;',
    'adapter/role/quoted-secret.test.ts',
    'a short password is quoted',
  ],
  [
    'adapter/role/quoted-secret.ts',
    '> maxSearched) return true;',
    '> maxSearched) return false;',
    'adapter/role/quoted-secret.test.ts',
    'the secrets of a large record are quoted',
  ],
];

export const mutations: readonly Mutation[] = rows.map(([file, text, replacement, test, why]) => ({
  file,
  text,
  replacement,
  tests: [test],
  why,
}));
