import { isArray, isNumber, isObject, type Json, type JsonObject } from '../../json/tree.ts';
import { answerInvalid } from './refuse.ts';
import { type Field, type Fields, userFields } from './user-fields.ts';

/** Go's int and int64 on the platforms that SFTPGo is built for. */
const int64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

/**
 * A key as Go's decoder compares it (encoding/json's foldName): Unicode simple folding. Every known key is ASCII,
 * and the two characters outside ASCII that fold into it are the long s and the Kelvin sign.
 */
export function foldKey(key: string): string {
  return key
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Checks that Go's decoder reads an answer exactly as the tree says: each known key in its one spelling, each value
 * of its field's type. Keys that no field has are let through; whether they may stay is for the ceiling to say.
 *
 * Throws ANSWER_INVALID naming the field.
 */
export function checkShape(answer: JsonObject): void {
  checkFields(answer, userFields, '');
}

function checkFields(object: JsonObject, fields: Fields, prefix: string): void {
  for (const [key, value] of object) {
    if (Object.hasOwn(fields, key)) {
      const field = fields[key];
      // null is Go's zero in a record and "remove" in a patch
      if (field && value !== null) checkValue(value, field, `${prefix}${key}`);
      continue;
    }
    const known = Object.keys(fields).find((name) => foldKey(name) === foldKey(key));
    if (known !== undefined) {
      throw answerInvalid(`a key of the user is spelled like ${prefix}${known}`, 'its one spelling');
    }
  }
}

function checkValue(value: Json, field: Field, path: string): void {
  const wrong = (expected: string) => answerInvalid(`${path} of the user has the wrong type`, expected);
  switch (field.kind) {
    case 'any':
      return;
    case 'text':
      if (typeof value !== 'string') throw wrong('text');
      return;
    case 'flag':
      if (typeof value !== 'boolean') throw wrong('true or false');
      return;
    case 'int':
      if (!isNumber(value) || !isInt64(value.number)) throw wrong('a whole number of 64 bits');
      return;
    case 'list':
      if (!isArray(value)) throw wrong('a list');
      for (const element of value) checkValue(element, field.of, `${path}[]`);
      return;
    case 'map':
      if (!isObject(value)) throw wrong('an object');
      for (const element of value.values()) if (element !== null) checkValue(element, field.of, `${path}{}`);
      return;
    case 'object':
      if (!isObject(value)) throw wrong('an object');
      checkFields(value, field.fields, `${path}.`);
  }
}

function isInt64(text: string): boolean {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return false;
  const value = BigInt(text);
  return value >= int64.least && value <= int64.most;
}
