import { create } from '@bufbuild/protobuf';
import { type AuthResponse, AuthResponseSchema } from '../../../proto/gen/sftpgo/auth_pb.ts';
import { formatJson } from '../../json/format.ts';
import type { Policy } from '../../shapes.ts';
import type { AuthSection } from './config.ts';
import { hasCodeInPassword, isLogin, offeredIn, recordOf } from './login.ts';
import { minimise } from './minimise.ts';
import { grantRefused } from './refuse.ts';
import { resolveGrant } from './resolve-grant.ts';

/**
 * What stands between a function's answer and a login: the function sees a minimised user, and what it answers
 * becomes one only through {@link resolveGrant}.
 *
 * Throws INPUT_INVALID, ANSWER_INVALID, GRANT_REFUSED.
 */
export function grants({ send, ceiling }: Pick<AuthSection, 'send' | 'ceiling'>): Policy {
  return {
    name: 'grants',
    wrap: (next) => async (call) => {
      const { input } = call;
      if (!isLogin(input)) return await next(call);
      const { record, isNew } = recordOf(input);
      if (hasCodeInPassword(input, record)) {
        throw grantRefused(
          'the user has a one-time code for FTP, which comes at the end of the password',
          'external_auth_disabled for such a user, or no one-time code for FTP',
        );
      }
      const shown = send === 'full' ? input.user : new TextEncoder().encode(formatJson(minimise(record)));
      const reply = await next({ ...call, input: { ...input, user: shown } as typeof input });
      const user = resolveGrant(reply.facts?.grant, (reply.output as AuthResponse).user, {
        username: input.username,
        record,
        isNew,
        offered: offeredIn(input),
        ceiling,
      });
      return { ...reply, output: create(AuthResponseSchema, { user }) };
    },
  };
}
