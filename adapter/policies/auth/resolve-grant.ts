import type { Grant } from '../../../proto/facts.ts';
import { formatJson } from '../../json/format.ts';
import { mergePatch } from '../../json/merge-patch.ts';
import { JsonError, parseJson } from '../../json/parse.ts';
import { isObject, type Json, type JsonObject } from '../../json/tree.ts';
import { checkCeiling, type Offered } from './ceiling.ts';
import { checkShape } from './check-shape.ts';
import type { Ceiling } from './config.ts';
import { putBack, putBackFolders } from './put-back.ts';
import { answerInvalid, grantRefused } from './refuse.ts';

/** What an answer is judged against. */
export interface GrantContext {
  /** The name given at login. */
  readonly username: string;
  /** The user as the host sent it; its id is 0 if the host does not know it. */
  readonly record: JsonObject;
  readonly isNew: boolean;
  readonly offered: Offered;
  readonly ceiling: Ceiling;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Makes the user that the host gets out of a function's answer: merged into the host's record or replacing it, under
 * the name asked for, within the ceiling, and written anew from the checked tree: never the function's bytes.
 *
 * Takes the signed plugin-grant and the answer's user bytes. Returns the user as JSON, or no bytes for `unchanged`.
 * Throws ANSWER_INVALID, or GRANT_REFUSED for more than the function may say.
 */
export function resolveGrant(
  grant: Grant | undefined,
  answer: Uint8Array,
  context: GrantContext,
): Uint8Array {
  if (grant === undefined) {
    throw grantRefused('the answer has no plugin-grant', 'plugin-grant: merge, replace or unchanged, signed');
  }
  if (grant === 'unchanged') {
    if (answer.length > 0) throw answerInvalid('the answer is "unchanged" and has a user', 'no user');
    if (context.isNew) {
      throw grantRefused('the answer is "unchanged" for a user that the host does not know', 'a user');
    }
    return answer;
  }
  const given = userOf(answer);
  checkShape(given);
  const name = given.get('username') ?? context.username;
  if (name !== context.username) throw grantRefused('the answer names another user', 'the user that logs in');
  const record = named(context.record, context.username);
  const user = grant === 'merge' ? putBackFolders(record, mergePatch(record, given)) : putBack(record, given);
  const granted = named(user, context.username);
  checkCeiling(record, granted, context);
  return encoder.encode(formatJson(granted));
}

function userOf(answer: Uint8Array): JsonObject {
  let user: Json;
  try {
    user = parseJson(decoder.decode(answer));
  } catch (error) {
    const why = error instanceof JsonError ? error.message : 'it is not UTF-8';
    throw answerInvalid(
      `the user of the answer is refused: ${why}`,
      'one JSON object, read alike by every parser',
    );
  }
  if (isObject(user) && user.size > 0) return user;
  throw answerInvalid(
    'the answer has no user',
    'a JSON object with fields of SFTPGo, or plugin-grant: unchanged',
  );
}

function named(user: JsonObject, username: string): JsonObject {
  return new Map(user).set('username', username);
}
