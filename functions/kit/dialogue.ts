import type { LoginAnswer } from './login.ts';

/** One step of a keyboard-interactive dialogue (SSH). */
export interface DialogueStep {
  readonly username: string;
  /** Names the dialogue; the same in all its steps. */
  readonly requestID: string;
  /** From 1. */
  readonly step: number;
  /** The client's address; only step 1 has it, so keep it in the state. */
  readonly ip: string;
  /** To the questions of the step before; empty in step 1 and after {@link askPassword} and {@link askCode}. */
  readonly answers: readonly string[];
  readonly questions: readonly string[];
  /** What the step before left with its questions. */
  readonly state: unknown;
  /** SFTPGo checked the answer, as the step before asked it to, and found it right. */
  readonly checked?: 'password' | 'code';
}

/** One question: its text, shown as it is; `echo`: may the answer be seen while it is typed? */
export type Question = string | { readonly text: string; readonly echo?: boolean };

/** What may go with questions. */
export interface AskOptions {
  /** Shown above the questions. */
  readonly instructions?: string;
  /**
   * Anything JSON can say, for the next step: sealed, so that nobody else reads or changes it, and good for two
   * minutes. At most 4 KB.
   */
  readonly state?: unknown;
}

/** Questions to the client: made by {@link ask}, {@link askPassword} and {@link askCode}. */
export interface Asking extends AskOptions {
  readonly ask: readonly Question[];
  readonly check: 0 | 1 | 2;
}

/** What a step ends in: more questions, `accept.unchanged()` or `denyLogin(…)`. */
export type DialogueAnswer = Asking | LoginAnswer;

/**
 * Asks the client; the answers come with the next step. An answer is not shown while it is typed unless `echo` is set.
 *
 * ```ts
 * return ask('Code from your token: ', { state: { tries: 1 } });
 * ```
 */
export function ask(questions: Question | readonly Question[], options: AskOptions = {}): Asking {
  const list = typeof questions === 'string' || 'text' in questions ? [questions] : questions;
  return { ...options, ask: list, check: 0 };
}

/** Asks for the password that SFTPGo has stored, which SFTPGo checks: a wrong one ends the login. */
export function askPassword(question = 'Password: ', options: AskOptions = {}): Asking {
  return { ...options, ask: [question], check: 1 };
}

/** Asks for the one-time code of the user's second factor in SFTPGo, which SFTPGo checks. It must be set up there. */
export function askCode(question = 'Authentication code: ', options: AskOptions = {}): Asking {
  return { ...options, ask: [question], check: 2 };
}
