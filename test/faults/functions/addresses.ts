import { allow, deny, type Verdict } from '../../../functions/kit/index.ts';

/** What functions/misbehave.ts understands; empty: nothing. */
export const words = ['', 'throw', 'exit', 'loop', 'exhaust'] as const;

export type Word = (typeof words)[number];

/** What the function says of an address: `fresh…` holds longer than a row of the matrix takes, `stale…` does not. */
const verdicts = {
  once: allow(),
  freshAllow: allow({ for: '5m', protocols: 'all' }),
  freshDeny: deny('no', { for: '5m', protocols: 'all' }),
  staleAllow: allow({ for: '1s', protocols: 'all' }),
  staleDeny: deny('no', { for: '1s', protocols: 'all' }),
} as const;

export type Said = keyof typeof verdicts;

const names = Object.keys(verdicts) as Said[];

/** Addresses that were not asked about yet: the second number is what the function says and does, the rest counts. */
export function addresses(): (said: Said, word?: Word) => string {
  let next = 0;
  return (said, word = '') => {
    next += 1;
    return `10.${10 * names.indexOf(said) + words.indexOf(word)}.${(next >> 8) & 255}.${next & 255}`;
  };
}

/** What an address stands for. What the function does about it, it does over HTTP: asked otherwise, it answers. */
export function meaningOf(ip: string): { readonly verdict: Verdict; readonly word: Word } {
  const code = Number(ip.split('.')[1]);
  return {
    verdict: verdicts[names[Math.floor(code / 10)] ?? 'once'],
    word: words[code % 10] ?? '',
  };
}
