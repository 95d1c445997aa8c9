/** What a word in a request makes a function do, so that each call of a test chooses. */
export function misbehave(word: string): void {
  if (word === 'throw') throw new Error('a handler that throws');
  if (word === 'exit') process.exit(0);
  if (word === 'loop') for (;;);
  if (word === 'exhaust') for (const kept: object[] = []; ; ) kept.push({ word });
}
