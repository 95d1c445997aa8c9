import { type EventSearch, FunctionError } from '../kit/index.ts';
import { attributeOf } from '../notifier/item.ts';

/** What an event must be besides its time: DynamoDB's FilterExpression, made of pieces. */
export interface Condition {
  readonly expression: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
  /** Does it ask for anything but events that have not expired? */
  readonly isSelective: boolean;
}

/** The properties of a search that are compared with one of an event: equal, or one of several. */
const comparedWith: Readonly<Record<string, string>> = {
  username: 'username',
  ip: 'ip',
  role: 'role',
  instanceIds: 'instanceId',
  actions: 'action',
  sshCmd: 'sshCmd',
  protocols: 'protocol',
  statuses: 'status',
  fsProvider: 'fsProvider',
  bucket: 'bucket',
  endpoint: 'endpoint',
  objectTypes: 'objectType',
  objectName: 'objectName',
  events: 'event',
};

/** DynamoDB compares with at most 100 values in one IN, and takes 4 KB of expression: five such lists fit. */
const maxValues = 100;

/**
 * The condition of a search. Attributes that an event leaves out, because they are 0 or empty, count as such.
 *
 * @param nowS Unix time in seconds: DynamoDB takes up to two days to remove what has expired
 * @throws FunctionError invalid_argument for a list of more than 100 values
 */
export function conditionOf(search: EventSearch, nowS: number): Condition {
  const names: Record<string, string> = { '#end': 'expires_at' };
  const values: Record<string, unknown> = { ':now': nowS };
  const parts = ['(attribute_not_exists(#end) OR #end > :now)'];
  for (const [property, own] of Object.entries(comparedWith)) {
    const wanted: unknown = Reflect.get(search, property);
    if (wanted === undefined || wanted === '') continue;
    const list: readonly unknown[] = Array.isArray(wanted) ? [...new Set(wanted)] : [wanted];
    if (list.length === 0) continue;
    if (list.length > maxValues) {
      throw new FunctionError('invalid_argument', `more than ${maxValues} ${property} to search for`);
    }
    const name = `#${own}`;
    names[name] = attributeOf(own);
    const marks = list.map((value) => {
      const mark = `:v${Object.keys(values).length}`;
      values[mark] = value;
      return mark;
    });
    const orMissing = list.some((value) => value === 0) ? ` OR attribute_not_exists(${name})` : '';
    parts.push(`(${name} IN (${marks.join(', ')})${orMissing})`);
  }
  return { expression: parts.join(' AND '), names, values, isSelective: parts.length > 1 };
}
