import { InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../../../adapter/config/units.ts';

const dayMs = 86_400_000;

/** `--life`, in ms, of the commands that write a lock. */
export function lifeOption(): Option {
  return new Option('--life <duration>', 'until the lock expires; 0d: never')
    .default(400 * dayMs, '400d')
    .argParser(life);
}

/** What {@link lifeOption} gave, as the lock's writer takes it. */
export function daysOf(lifeMs: number): number {
  return lifeMs / dayMs;
}

/** When a lock ends, for people. */
export function endOf({ expires }: { readonly expires?: string | undefined }): string {
  return expires === undefined ? 'never expires' : `expires ${expires.slice(0, 10)}`;
}

function life(text: string): number {
  const lifeMs = parseDurationMs(text);
  if (lifeMs === undefined) throw new InvalidArgumentError('expected a duration with its unit: 400d, 12h');
  return lifeMs;
}
