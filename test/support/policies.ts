import { create } from '@bufbuild/protobuf';
import { AnswerError, type Call, type Facts, type Handler, type Reply } from '../../adapter/shapes.ts';
import type { ConnectCode } from '../../proto/codes.ts';
import { type ErrorCode, PluginError } from '../../proto/error.ts';

/** The facts of a verified answer. */
export function factsWith(facts: Partial<Facts> = {}): Facts {
  return { evidence: 'claimed', version: 'a build', keyid: 'a key', ...facts };
}

/** An error of ours, as a step of invoke would throw it. */
export function failure(code: ErrorCode): PluginError {
  return new PluginError(code, { happened: code, expected: 'none', remedy: 'none' });
}

/** A signed error of the function; permission_denied is its "no". */
export function signedError(connect: ConnectCode, facts: Partial<Facts> = {}): AnswerError {
  return new AnswerError(
    connect === 'permission_denied' ? 'DENIED' : 'FUNCTION_ERROR',
    { happened: connect, expected: 'none', remedy: 'none' },
    { connect, facts: factsWith(facts), functionText: '' },
  );
}

/** What a scripted handler does with one call: an error is thrown, facts become a reply. */
export type Step = Error | Facts | Promise<Error | Facts>;

/** A handler that plays its steps one after the other, the last one for ever, and counts calls. */
export function scripted(...steps: readonly Step[]): Handler & { readonly calls: readonly Call[] } {
  const calls: Call[] = [];
  const handler = async (call: Call): Promise<Reply> => {
    calls.push(call);
    const outcome = await steps[Math.min(calls.length, steps.length) - 1];
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('no step');
    return { output: create(call.method.output), facts: outcome };
  };
  return Object.assign(handler, { calls });
}

/** The code of what a promise rejects with; `answered` when it resolves. */
export async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return await outcome.then(
    () => 'answered',
    (error: unknown) => (error instanceof PluginError ? error.code : String(error)),
  );
}
