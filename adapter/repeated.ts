const repeatMs = 60_000;

/**
 * Makes a gate for log lines that would come again and again: it opens for a text that differs from the last one, and
 * for the same text once a minute. `reset` forgets the last text, when what it told of is over, and says whether there
 * was one.
 */
export function onceAMinute(): { opensFor(text: string): boolean; reset(): boolean } {
  let last: { text: string; atMs: number } | undefined;
  return {
    opensFor(text) {
      const nowMs = performance.now();
      if (last?.text === text && nowMs - last.atMs < repeatMs) return false;
      last = { text, atMs: nowMs };
      return true;
    },
    reset() {
      const told = last !== undefined;
      last = undefined;
      return told;
    },
  };
}
