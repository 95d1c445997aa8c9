import { createHash } from 'node:crypto';
import { clone, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { pluginHeaders } from '../../../proto/facts.ts';
import type { Policy } from '../../shapes.ts';

/** SFTPGo reads it anew each time that it sends an event, so it is no part of the event's identity. */
const volatile = 'object_data';

/**
 * An event's own id, hex: SHA-256 over its type, the instance and its binary form without `object_data`. SFTPGo
 * sends an event that failed once more, without any id and from another process of the adapter perhaps: this is
 * the same then, so that a function stores the event once.
 */
export function eventIdOf(schema: DescMessage, event: Message, instance: string): string {
  const copy = clone(schema, event);
  const view = reflect(schema, copy);
  for (const field of schema.fields) {
    if (field.name === volatile) view.clear(field);
    // Go writes the entries of a map in another order each time
    if (field.fieldKind === 'map') {
      const map = view.get(field);
      const entries = [...map].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      map.clear();
      for (const [key, value] of entries) map.set(key, value);
    }
  }
  // fields that this release does not know are not sent on, so they are not the event's either
  const bytes = toBinary(schema, copy, { writeUnknownFields: false });
  return createHash('sha256').update(`${schema.typeName}\0${instance}\0`).update(bytes).digest('hex');
}

/** Gives each event its own id, and says in the signed plugin-instance header which SFTPGo it comes from. */
export function eventId(instance: string): Policy {
  return {
    name: 'event-id',
    wrap: (next) => (call) => {
      const id = eventIdOf(call.method.input, call.input, instance);
      // what is logged of the call must be found at the function
      if (call.trace) call.trace.callId = id;
      return next({
        ...call,
        id,
        headers: [...(call.headers ?? []), [pluginHeaders.instance, instance]],
      });
    },
  };
}
