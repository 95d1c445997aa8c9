import { PluginError } from '../../../proto/error.ts';
import type { Call, Policy, Reply } from '../../shapes.ts';

/** What the filters of the three searches have in common. */
interface Asked {
  readonly limit: number;
  readonly role: string;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const notAnInteger = Symbol('a number that is no int64');

/** Numbers as they stand in the text: SFTPGo's CSV export reads each into an int64, and 1e3 or 1.0 is none. */
function reviveIntegers(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  // throws for a fraction and an exponent
  const integer = BigInt(context?.source ?? '.');
  return BigInt.asIntN(64, integer) === integer ? integer : notAnInteger;
}

/** Why the host cannot use what was found; undefined when it can. */
function faultOf(data: Uint8Array, { limit, role }: Asked): string | undefined {
  let events: unknown;
  try {
    events = JSON.parse(decoder.decode(data), reviveIntegers);
  } catch {
    return 'is not JSON with integer numbers';
  }
  if (!Array.isArray(events)) return 'is not an array';
  if (events.length > limit) return `has ${events.length} events where ${limit} were asked for`;
  for (const [index, event] of events.entries()) {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) {
      return `has something at ${index} that is no event`;
    }
    for (const [key, value] of Object.entries(event)) {
      // a symbol has no own text: only its place is told
      if (typeof value !== 'string' && typeof value !== 'bigint') {
        return `has an event at ${index} whose ${JSON.stringify(key.slice(0, 40))} is neither text nor an integer`;
      }
    }
    if (role !== '' && (event as Record<string, unknown>)['role'] !== role) {
      return `has an event at ${index} of another role`;
    }
  }
  return undefined;
}

/**
 * Checks what a search found before it goes, byte by byte as it came, to the REST API and WebAdmin: a JSON array of
 * flat events with integer numbers, no more than asked for, and for a role admin none of another role.
 *
 * Throws ANSWER_INVALID.
 */
export function foundEvents(): Policy {
  return {
    name: 'found-events',
    wrap:
      (next) =>
      async (call: Call): Promise<Reply> => {
        const reply = await next(call);
        const { data } = reply.output as unknown as { readonly data: Uint8Array };
        const fault = faultOf(data, call.input as unknown as Asked);
        if (fault === undefined) return reply;
        throw new PluginError('ANSWER_INVALID', {
          happened: `the answer to ${call.method.name} ${fault}`,
          expected: 'a JSON array of events as docs/events.md shows them, of the role that was asked for',
          remedy: 'Correct the function: its signature is good, its content is not.',
        });
      },
  };
}
