import fc from 'fast-check';

/** What may happen to bytes on the way. Places are shares of their length, since that is known only later. */
export type ByteEdit =
  | { readonly at: number; readonly byte: number }
  | { readonly cut: number }
  | { readonly from: number; readonly to: number; readonly again: number }
  | { readonly at: number; readonly insert: readonly number[] }
  | { readonly instead: Uint8Array };

/** Not fc.double, whose values are mostly next to nothing. */
const steps = 1 << 16;
const place = fc.nat({ max: steps - 1 }).map((step) => step / steps);

/** Any byte, or one that texts are made of. */
const byte = fc.oneof(
  fc.nat({ max: 255 }),
  fc.constantFrom(...Buffer.from('"\\{}[]:;,= \t\r\n/.-_%+*#?0129aAzZs')),
);

/** One byte changed, the end cut off, a piece repeated, bytes put in; now and then other bytes altogether. */
export const byteEdit: fc.Arbitrary<ByteEdit> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ at: place, byte }) },
  { weight: 2, arbitrary: fc.record({ cut: place }) },
  { weight: 2, arbitrary: fc.record({ from: place, to: place, again: place }) },
  { weight: 3, arbitrary: fc.record({ at: place, insert: fc.array(byte, { maxLength: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ instead: fc.uint8Array({ maxLength: 200 }) }) },
);

/** One or two edits. */
export const edits = fc.array(byteEdit, { minLength: 1, maxLength: 2 });

/** The bytes after the edits. */
export function damaged(bytes: Uint8Array, made: readonly ByteEdit[]): Uint8Array {
  return made.reduce(apply, bytes);
}

function apply(bytes: Uint8Array, edit: ByteEdit): Uint8Array {
  const index = (share: number) => Math.min(bytes.length, Math.floor(share * bytes.length));
  if ('instead' in edit) return edit.instead;
  if ('cut' in edit) return bytes.slice(0, index(edit.cut));
  if ('byte' in edit) {
    const changed = Uint8Array.from(bytes);
    changed[Math.min(index(edit.at), bytes.length - 1)] = edit.byte;
    return changed;
  }
  if ('insert' in edit) return spliced(bytes, index(edit.at), edit.insert);
  const [from, to] = [index(edit.from), index(edit.to)].sort((a, b) => a - b);
  return spliced(bytes, index(edit.again), bytes.slice(from, to));
}

function spliced(bytes: Uint8Array, at: number, more: Iterable<number>): Uint8Array {
  return Uint8Array.from([...bytes.slice(0, at), ...more, ...bytes.slice(at)]);
}
