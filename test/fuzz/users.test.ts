import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '../../adapter/json/parse.ts';
import { isArray, isNumber, isObject, type Json } from '../../adapter/json/tree.ts';
import { authSection } from '../../adapter/policies/auth/config.ts';
import { resolveGrant } from '../../adapter/policies/auth/resolve-grant.ts';
import { PluginError } from '../../proto/error.ts';
import { buildHost, whyNoGo } from '../host/build.ts';
import { type GoHost, startHost } from '../host/driver.ts';
import { edits as byteEdits, damaged } from './damage.ts';
import { type Count, fuzzBatches, limitMs, numRuns, same } from './runs.ts';
import { compare, rules, strangers } from './users/allowed.ts';
import { ambiguous } from './users/ambiguous.ts';
import { type Answer, anyText, edit, edited, grant, hostName, offer } from './users/answers.ts';
import { ceilingConfig, type HostName, hosts, jsonOf, offers, readJson, type User } from './users/hosts.ts';

const skipped = whyNoGo();
const utf8 = new TextEncoder();
const { ceiling } = authSection.parse({ use: 'team', ceiling: ceilingConfig });

describe.skipIf(skipped)(`users, as Go reads them ${skipped ?? ''}`, () => {
  let go: GoHost;
  /** What the host had before, by Go's reading. */
  const before = new Map<HostName, User>();

  beforeAll(async () => {
    go = startHost(await buildHost('new'));
    for (const [name, { record }] of Object.entries(hosts)) {
      before.set(name as HostName, await readOne(utf8.encode(jsonOf(record))));
    }
  });
  afterAll(async () => {
    await go.close();
  });

  async function readOne(text: Uint8Array): Promise<User> {
    const [reading] = await go.read('user', [text]);
    return parsed(reading?.json ?? '');
  }

  /**
   * What each answer comes to. Whatever is granted, Go reads as the asked user, changed in what docs/auth.md allows
   * and nowhere else. Gives the paths that accepted answers changed.
   */
  async function judge(answers: readonly Answer[], count: Count): Promise<Set<string>> {
    const granted: { answer: Answer; bytes: Uint8Array }[] = [];
    for (const answer of answers) {
      const outcome = resolved(answer);
      if (typeof outcome === 'string') count(outcome);
      else granted.push({ answer, bytes: outcome });
    }
    const readings = await go.read(
      'user',
      granted.map(({ bytes }) => bytes),
    );
    const used = new Set<string>();
    for (const [index, { answer, bytes }] of granted.entries()) {
      const { json, error } = readings[index] ?? {};
      same({ answer: shown(answer), error }, { answer: shown(answer), error: undefined });
      const after = parsed(json ?? '');
      same(after['username'], 'alice');
      const { isNew, record } = hosts[answer.host];
      const [mine, theirs] = [strangers(record), strangers(parsed(new TextDecoder().decode(bytes)))];
      const added = theirs.filter((each) => !mine.includes(each));
      same({ answer: shown(answer), added }, { answer: shown(answer), added: [] });
      const found = compare(before.get(answer.host) ?? {}, after, { isNew, offered: offers[answer.offer] });
      same({ answer: shown(answer), excess: found.excess }, { answer: shown(answer), excess: [] });
      for (const path of found.changed) used.add(path);
      count(`granted, ${isNew ? 'new' : answer.grant}${found.changed.length > 0 ? '' : ', as it was'}`);
    }
    return used;
  }

  test('the answers that are changed below are accepted as they are', async () => {
    for (const host of Object.keys(hosts) as HostName[]) {
      for (const how of ['merge', 'replace'] as const) {
        const endings: string[] = [];
        await judge([edited({ host, offer: 'nothing', grant: how }, [])], (ending) => endings.push(ending));
        expect(endings).toEqual([expect.stringMatching(/^granted/)]);
      }
    }
  });

  const used = new Set<string>();
  const changedAnswer = fc
    .record({ host: hostName, offer, grant, edits: fc.array(edit, { minLength: 1, maxLength: 2 }) })
    .map(({ edits, ...login }) => edited(login, edits));

  test(
    'an accepted answer with one or two fields changed: refused, or within the ceiling and under the asked name',
    fuzzBatches(
      changedAnswer,
      async (answers, count) => {
        for (const path of await judge(answers, count)) used.add(path);
      },
      { 'granted, merge': 0.05, 'granted, replace': 0.05, 'granted, new': 0.1, GRANT_REFUSED: 0.2 },
    ),
    limitMs,
  );

  test.runIf(numRuns >= 10_000)(
    'and each of the fields that the ceiling or its rules allow was changed',
    () => {
      expect([...used].sort()).toEqual(Object.keys(rules).sort());
    },
  );

  const anyAnswer = fc
    .record({
      host: hostName,
      offer,
      grant: fc.constantFrom('merge', 'merge', 'merge', 'replace', 'replace', 'unchanged', undefined),
      text: fc.oneof(
        { weight: 9, arbitrary: anyText },
        { weight: 1, arbitrary: fc.constantFrom('', '{}', 'null', '[]', ' ') },
      ),
    })
    .map(({ text, ...rest }): Answer => ({ ...rest, user: utf8.encode(text) }));

  test(
    'users of any form: refused, or within the ceiling and under the asked name',
    fuzzBatches(anyAnswer, async (answers, count) => void (await judge(answers, count)), {
      'granted, merge': 0.02,
      'granted, new': 0.02,
      GRANT_REFUSED: 0.1,
      ANSWER_INVALID: 0.1,
    }),
    limitMs,
  );

  test(
    'what two readers could read differently, what is no user, and another user: refused',
    fuzzBatches(
      ambiguous,
      async (answers, count) => {
        for (const { code, ...answer } of answers) {
          same({ answer: shown(answer), ending: resolved(answer) }, { answer: shown(answer), ending: code });
          count(code);
        }
      },
      { ANSWER_INVALID: 0.5, GRANT_REFUSED: 0.05 },
    ),
    limitMs,
  );

  const damagedAnswer = fc
    .record({ host: hostName, offer, grant, edits: byteEdits })
    .map(({ edits, ...login }): Answer => {
      const answer = edited(login, []);
      return { ...answer, user: damaged(answer.user, edits) };
    });

  test(
    'a damaged user: refused, or within the ceiling and under the asked name',
    fuzzBatches(damagedAnswer, async (answers, count) => void (await judge(answers, count)), {
      'granted, merge': 0.01,
      'granted, new': 0.01,
      GRANT_REFUSED: 0.05,
      ANSWER_INVALID: 0.1,
    }),
    limitMs,
  );

  test(
    'text of any form parses to JSON that every parser reads alike, or is refused',
    fuzzBatches(
      fc.oneof(anyJson, fc.json({ maxDepth: 4, stringUnit: 'binary' })),
      async (texts, count) => {
        const readings = await go.read(
          'any',
          texts.map((text) => utf8.encode(text)),
        );
        for (const [index, text] of texts.entries()) {
          const ours = strictly(text);
          count(ours === undefined ? 'refused' : 'read');
          if (ours === undefined) continue;
          const { json = '' } = readings[index] ?? {};
          same({ text, go: withDigits(json) }, { text, go: ours });
          same({ text, javascript: withDigits(text) }, { text, javascript: ours });
        }
      },
      { read: 0.3, refused: 0.1 },
    ),
    limitMs,
  );
});

/** The user that the host would get, or the code with which it is refused. */
function resolved({ host, offer, grant: how, user }: Answer): Uint8Array | string {
  const { record, isNew } = hosts[host];
  const tree = parseJson(jsonOf(record));
  if (!isObject(tree)) throw new Error('the record is an object');
  try {
    const context = { username: 'alice', record: tree, isNew, offered: offers[offer], ceiling };
    const bytes = resolveGrant(how, user, context);
    expect(how).toBeDefined();
    if (how !== 'unchanged') return bytes;
    expect([bytes.length, user.length, isNew]).toEqual([0, 0, false]);
    return 'unchanged';
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    expect(['ANSWER_INVALID', 'GRANT_REFUSED']).toContain(error.code);
    return error.code;
  }
}

const shown = (answer: Answer) => ({ ...answer, user: new TextDecoder().decode(answer.user) });

/** Go's text of a user, int64 as bigint where a number of JavaScript would round it. */
function parsed(json: string): User {
  return readJson(json, (value, source) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? BigInt(source) : value,
  ) as User;
}

/** JSON with numbers as the digits that were written, marked. */
function withDigits(json: string): unknown {
  return readJson(json, (value, source) => (typeof value === 'number' ? `#${source}` : `"${value}`));
}

/** The same of the adapter's own reading; undefined when it refuses. */
function strictly(text: string): unknown {
  const plain = (value: Json): unknown => {
    if (isNumber(value)) return `#${value.number}`;
    if (isArray(value)) return value.map(plain);
    if (isObject(value)) return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]));
    return typeof value === 'string' ? `"${value}` : value;
  };
  try {
    return plain(parseJson(text));
  } catch {
    return undefined;
  }
}

const anyJson = fc
  .array(
    fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a":', '"A"', '"\\u0061"', '1', '-0', '1e5', '01', '0.10', '1E+2'],
      ...[
        'true',
        'null',
        ' ',
        '\\',
        '"',
        '\u0000',
        '\ufeff',
        '"\ud800"',
        '"\\ud83d\\ude00"',
        '"__proto__":1,',
      ],
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(''));
