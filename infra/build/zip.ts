import { zipSync } from 'fflate';

/** `-rw-r--r--` in the upper half, as Info-ZIP writes it: Lambda needs code that everybody can read. */
const mode = 0o100644 << 16;
/** Unix, so that `mode` is heeded (APPNOTE.TXT 4.4.2). */
const unix = 3;

/**
 * A zip of one file, the same bytes for the same content on every machine: the dates, the mode and the system in it
 * are fixed.
 */
export function zipOf(name: string, content: Uint8Array): Uint8Array {
  // zip dates have no time zone and fflate writes local time: this is 1980-01-01 00:00 in every zone
  const mtime = new Date(1980, 0, 1);
  return zipSync({ [name]: [content, { mtime, attrs: mode, os: unix, level: 9 }] });
}
