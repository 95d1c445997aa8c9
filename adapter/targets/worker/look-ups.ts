const windowMs = 60_000;

/**
 * Counts look-ups that answers of functions cause: at most `most` in any minute, so that a bundle that reports
 * another version id with every answer does not use up the account's share of Cloudflare's API.
 */
export function lookUpBudget(most: number, nowMs: () => number = () => performance.now()): () => boolean {
  const taken: number[] = [];
  return () => {
    const now = nowMs();
    while (taken[0] !== undefined && now - taken[0] >= windowMs) taken.shift();
    if (taken.length >= most) return false;
    taken.push(now);
    return true;
  };
}
