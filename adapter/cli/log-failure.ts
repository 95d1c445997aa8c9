import type { Message } from '@bufbuild/protobuf';
import { PluginError } from '../../proto/error.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';
import type { HclogWriter } from '../goplugin/server/hclog.ts';
import { quotesSecret } from '../role/quoted-secret.ts';
import { AnswerError } from '../shapes.ts';

/** What stands in a log line where a function's own words quote a secret of the request. */
const withheld = '[withheld: quotes the request]';

/**
 * Logs a call that failed. A denial is the function's business; what may be an attack or a broken deployment is an
 * ERROR line. A function's own words come at debug, without those that quote a secret of `input`.
 */
export function logFailure(
  log: Pick<HclogWriter, 'debug' | 'warn' | 'error'>,
  type: PluginTypeName,
  call: { readonly rpc: string; readonly call: string },
  { error, input }: { readonly error: unknown; readonly input: Message },
): void {
  const code = error instanceof PluginError ? error.code : 'INTERNAL';
  const answered = error instanceof AnswerError ? error : undefined;
  const said = (text: string) => (quotesSecret(input, text) ? withheld : text);
  const reason = answered?.facts.reason;
  const fields = { ...call, code, ...(reason === undefined ? {} : { reason: said(reason) }) };
  if (code === 'DENIED') log.debug('denied', fields);
  // the role says it, once a minute: every call would say the same
  else if (code === 'DRIFT') log.debug('drift', fields);
  else if (code === 'ANSWER_REFUSED' || code === 'ANSWER_UNSIGNED' || code === 'INTERNAL') {
    log.error(error instanceof PluginError ? error.message : 'internal error', fields);
  } else log.warn(error instanceof PluginError ? error.message : 'failed', fields);
  // what an author's code says of a failed login may tell more than it quotes
  if (answered?.code === 'FUNCTION_ERROR' && type !== 'auth') {
    log.debug('what the function said', { ...call, text: said(answered.functionText) });
  }
}
