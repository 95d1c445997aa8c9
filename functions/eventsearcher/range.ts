import { type EventSearch, FunctionError } from '../kit/index.ts';
import { idRange, timestampOf } from '../notifier/keys.ts';

/** The ids that a search may find, both inclusive. */
export interface IdRange {
  readonly from: string;
  readonly to: string;
}

/** WebAdmin reads timestamps as JavaScript numbers: 256 ns apart in this century, so rounded by up to 128. */
const roundingNs = 128n;

/**
 * The range of ids between the bounds of a search and after its `fromId`. An id holds its exact time: where a bound
 * is the instant of an id that came with it, rounded by WebAdmin, the id's own time counts. Otherwise the next page
 * would leave out events of that instant.
 *
 * @returns undefined where nothing can be found
 * @throws FunctionError invalid_argument for an id that this table never gave out
 */
export function idsOf(search: EventSearch): IdRange | undefined {
  const { fromId, excludeIds, order } = search;
  const instants = (fromId === undefined ? excludeIds : [fromId]).flatMap((id) => timestampOf(id) ?? []);
  if (fromId !== undefined && instants.length === 0) {
    throw new FunctionError('invalid_argument', 'from_id is no id of these events');
  }
  const exact = (bound: bigint | undefined) =>
    bound === undefined ? undefined : (instants.find((at) => isRounded(bound, at)) ?? bound);
  const ascending = order === 'asc';
  const { from, to } = ascending
    ? idRange(exact(search.startTimestamp), search.endTimestamp)
    : idRange(search.startTimestamp, exact(search.endTimestamp));
  if (fromId === undefined) return inOrder({ from, to });
  return ascending
    ? inOrder({ from: fromId >= from ? successor(fromId) : from, to })
    : inOrder({ from, to: fromId <= to ? predecessor(fromId) : to });
}

function isRounded(bound: bigint, at: bigint): boolean {
  return absolute(bound - at) <= roundingNs;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function inOrder(range: IdRange): IdRange | undefined {
  return range.from <= range.to ? range : undefined;
}

/** Ids are numbers of 40 hex digits, so there is a next and a last one. */
function successor(id: string): string {
  return (BigInt(`0x${id}`) + 1n).toString(16).padStart(40, '0');
}

function predecessor(id: string): string {
  return (BigInt(`0x${id}`) - 1n).toString(16).padStart(40, '0');
}
