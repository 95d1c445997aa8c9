import { randomFillSync } from 'node:crypto';

const idBytes = 16;

/** Makes call ids: 128 random bits each, in hex. They are drawn many at a time: one at a time costs more than a cached verdict. */
export function callIds(): () => string {
  const pool = Buffer.alloc(256 * idBytes);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += idBytes;
    return pool.toString('hex', used - idBytes, used);
  };
}
