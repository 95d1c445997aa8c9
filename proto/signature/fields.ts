import type { HeaderList } from './message.ts';
import { requestFields, signatureFields } from './profile.ts';

/** Throws the error of the message at hand; the reasons are fixed texts that complete "the request …". */
export type Refuse = (reason: string) => never;

const single: ReadonlySet<string> = new Set([...requestFields, ...signatureFields]);
const pluginName = /^plugin-[a-z0-9-]+$/;

/**
 * The fields that the profile knows, trimmed. Refuses what two readers could read differently: a second line,
 * a character that is not printable ASCII, an odd name, and any content-encoding (the digest covers what was sent,
 * and a gateway that compresses would change it).
 */
export function profileFields(headers: HeaderList, refuse: Refuse): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [anyCase, value] of headers) {
    const name = anyCase.toLowerCase();
    if (name === 'content-encoding') refuse('has a content-encoding');
    if (!single.has(name)) {
      if (!name.startsWith('plugin-')) continue;
      if (!pluginName.test(name)) refuse('has a malformed plugin-* name');
    }
    if (fields.has(name)) refuse('repeats a signed header');
    const trimmed = value.trim();
    if (/[^ -~]/.test(trimmed)) refuse('has a signed header that is not printable ASCII');
    fields.set(name, trimmed);
  }
  return fields;
}
