import { encodeBase64 } from '../../proto/base64.ts';

/** How one field of an event stands in JSON: its key, its property, its kind; `optional`: left out when empty. */
export interface JsonField {
  readonly key: string;
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'bytes';
  readonly optional?: true;
}

/**
 * Events as the JSON array that SFTPGo passes on, with its keys. Numbers become JSON integers digit by digit:
 * JSON.stringify refuses bigints, and a timestamp in nanoseconds is beyond what a JavaScript number holds.
 *
 * @throws TypeError for a field that is missing or of another kind; it names the field and never its value
 */
export function eventsJson(events: readonly object[], fields: readonly JsonField[]): string {
  return `[${events.map((event, index) => eventJson(event, fields, index)).join(',')}]`;
}

function eventJson(event: object, fields: readonly JsonField[], index: number): string {
  const members = fields.flatMap(({ key, name, kind, optional }) => {
    const value: unknown = Reflect.get(event, name);
    const json = valueJson(value, kind);
    if (json !== undefined && !(optional && isEmpty(json))) return [`${JSON.stringify(key)}:${json}`];
    if (optional && (value === undefined || json !== undefined)) return [];
    throw new TypeError(
      `event ${index}: ${name} is ${value === undefined ? 'missing' : `not ${words[kind]}`}`,
    );
  });
  return `{${members.join(',')}}`;
}

const words = { text: 'well-formed text', integer: 'an integer of 64 bits', bytes: 'a Uint8Array' };

function isEmpty(json: string): boolean {
  return json === '""' || json === '0';
}

function valueJson(value: unknown, kind: JsonField['kind']): string | undefined {
  switch (kind) {
    case 'text':
      return typeof value === 'string' && value.isWellFormed() ? JSON.stringify(value) : undefined;
    case 'bytes':
      return value instanceof Uint8Array ? JSON.stringify(encodeBase64(value)) : undefined;
    case 'integer':
      if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? `${value}` : undefined;
      return Number.isSafeInteger(value) ? `${BigInt(Number(value))}` : undefined;
  }
}
