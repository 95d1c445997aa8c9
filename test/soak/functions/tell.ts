/** What a function decides about its n-th question. */
export type Decision = 'yes' | 'no' | 'error';

/** Known to the function and to whoever asks it, so that a wrong answer is seen as one. */
export function decide(n: number): Decision {
  if (n % 10 === 3) return 'no';
  return n % 23 === 5 ? 'error' : 'yes';
}

/** The number at the end of a name: `u12`. */
export function numberOf(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? 0);
}

/** Says outside that this question arrived: one line, which outlives the process. */
export function tell(rpc: string, n: number | string): void {
  console.log(`soak ${rpc} ${n} .`);
}
