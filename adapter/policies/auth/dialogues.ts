import { isMessage } from '@bufbuild/protobuf';
import { LRUCache } from 'lru-cache';
import { pluginHeaders } from '../../../proto/facts.ts';
import { KeyboardAuthRequestSchema, type KeyboardAuthResponse } from '../../../proto/gen/sftpgo/auth_pb.ts';
import type { Policy } from '../../shapes.ts';
import type { AuthSection } from './config.ts';
import { answerInvalid, grantRefused, inputInvalid } from './refuse.ts';

/** A dialogue that waits for the client. */
interface Waiting {
  readonly username: string;
  /** The step that comes next. */
  readonly step: number;
  /** What the function wants to see again: sealed, and not for us to read. */
  readonly state: string | undefined;
  /** On the `performance.now()` scale. */
  readonly untilMs: number;
}

/** sshd gives a client two minutes to log in. */
const lifeMs = 120_000;
const maxDialogues = 10_000;
const maxStateBytes = 4096;
const maxQuestions = 16;
const maxTextLength = 4096;

/**
 * Keyboard-interactive dialogues: their state travels sealed between adapter and function, here it only waits. A step
 * without the one before, a second time or after two minutes is refused.
 *
 * Throws ANSWER_INVALID, GRANT_REFUSED, INPUT_INVALID.
 */
export function dialogues({
  send,
  keyboardInteractive,
}: Pick<AuthSection, 'send' | 'keyboardInteractive'>): Policy {
  const waiting = new LRUCache<string, Waiting>({ max: maxDialogues });
  return {
    name: 'dialogues',
    wrap: (next) => async (call) => {
      const { input } = call;
      if (!isMessage(input, KeyboardAuthRequestSchema)) return await next(call);
      const { requestID, username, step } = input;
      const known = waiting.get(requestID);
      // taken before the call: whatever becomes of it, this state was used
      waiting.delete(requestID);
      if (step < 1) throw inputInvalid('the host sent a step below 1', 'steps from 1');
      if (
        step > 1 &&
        !(known?.step === step && known.username === username && performance.now() < known.untilMs)
      ) {
        throw grantRefused(
          'a step of a dialogue came without the one before it',
          'each step once, in order, within two minutes',
        );
      }
      const state = step === 1 ? undefined : known?.state;
      const reply = await next({
        ...call,
        input: send === 'full' ? input : { ...input, password: '' },
        ...(state === undefined
          ? {}
          : { headers: [...(call.headers ?? []), [pluginHeaders.dialogue, state]] }),
      });
      const answer = reply.output as KeyboardAuthResponse;
      checkAnswer(answer);
      if (answer.authResult === 1) {
        if (reply.facts?.grant !== 'unchanged') {
          throw grantRefused(
            'a dialogue ended well without a plugin-grant',
            'plugin-grant: unchanged, signed',
          );
        }
        if (step === 1 && keyboardInteractive.withoutQuestion === 'refuse') {
          throw grantRefused(
            'a dialogue ended well before anything was asked',
            'a question first, or keyboardInteractive.withoutQuestion: accept',
          );
        }
      }
      if (answer.authResult === 0) {
        const { dialogue } = reply.facts ?? {};
        if (dialogue !== undefined && dialogue.length > maxStateBytes) {
          throw answerInvalid('the state of a dialogue is too large', `at most ${maxStateBytes} bytes`);
        }
        const untilMs = performance.now() + lifeMs;
        waiting.set(requestID, { username, step: step + 1, state: dialogue, untilMs });
      }
      return reply;
    },
  };
}

/** SFTPGo fails such a dialogue too, some of them only at the next step. */
function checkAnswer({
  authResult,
  checkPassword,
  instructions,
  questions,
  echos,
}: KeyboardAuthResponse): void {
  if (authResult !== 0) {
    if (questions.length > 0) throw answerInvalid('a dialogue ends and asks', 'either of both');
    return;
  }
  if (questions.length === 0) throw answerInvalid('a dialogue goes on without a question', 'a question');
  if (questions.length > maxQuestions) {
    throw answerInvalid('a dialogue asks too much at once', `at most ${maxQuestions} questions`);
  }
  if (echos.length !== questions.length) {
    throw answerInvalid('echos do not fit the questions', 'one for each question');
  }
  if (checkPassword !== 0 && (questions.length !== 1 || (checkPassword !== 1 && checkPassword !== 2))) {
    throw answerInvalid('check_password does not fit the questions', '1 or 2 with exactly one question');
  }
  if ([instructions, ...questions].some((text) => !isShowable(text))) {
    throw answerInvalid(
      'a text of a dialogue cannot be shown',
      `${maxTextLength} characters, no control characters`,
    );
  }
}

/** It goes to a terminal, where escape sequences would act. Lines and tabs are harmless. */
function isShowable(text: string): boolean {
  return text.length <= maxTextLength && !/[^\P{Cc}\n\r\t]/u.test(text);
}
