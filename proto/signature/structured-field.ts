import { decodeBase64 } from '../base64.ts';

type Step = readonly [canonical: string, rest: string];

const sfKey = /^[a-z*][a-z0-9_.*-]*/;
const optionalSpace = /^[ \t]*/;
const spaces = /^ */;
/** Bare items that are their own canonical form: strings, tokens, booleans (RFC 9651 §3.3). */
const verbatim = /^(?:"(?:[ !#-[\]-~]|\\["\\])*"|[A-Za-z*][\w!#$%&'*+.^`|~:/-]*|\?[01])/;
const numeric = /^-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/;
const bytes = /^:([\w+/=]*):/;

function skip(text: string, pattern: RegExp): string {
  return text.slice(pattern.exec(text)?.[0].length);
}

function bareItem(text: string): Step | undefined {
  const same = verbatim.exec(text)?.[0];
  if (same !== undefined) return [same, text.slice(same.length)];
  const number = numeric.exec(text)?.[0];
  if (number !== undefined) {
    const plain = String(Number(number));
    const decimal = number.includes('.') && !plain.includes('.') ? `${plain}.0` : plain;
    return [decimal, text.slice(number.length)];
  }
  const binary = bytes.exec(text);
  if (binary?.[1] === undefined || decodeBase64(binary[1]) === undefined) return undefined;
  return [binary[0], text.slice(binary[0].length)];
}

function parameters(text: string): Step | undefined {
  const seen = new Set<string>();
  let [canonical, rest] = ['', text];
  while (rest.startsWith(';')) {
    rest = skip(rest.slice(1), spaces);
    const key = sfKey.exec(rest)?.[0];
    if (key === undefined || seen.has(key)) return undefined;
    seen.add(key);
    rest = rest.slice(key.length);
    canonical += `;${key}`;
    if (!rest.startsWith('=')) continue;
    const value = bareItem(rest.slice(1));
    if (value === undefined) return undefined;
    if (value[0] !== '?1') canonical += `=${value[0]}`;
    rest = value[1];
  }
  return [canonical, rest];
}

function withParameters(item: Step | undefined): Step | undefined {
  const params = item && parameters(item[1]);
  return params && [item[0] + params[0], params[1]];
}

function innerList(text: string): Step | undefined {
  const items: string[] = [];
  let rest = skip(text.slice(1), spaces);
  while (!rest.startsWith(')')) {
    const item = withParameters(bareItem(rest));
    if (item === undefined || !/^[ )]/.test(item[1])) return undefined;
    items.push(item[0]);
    rest = skip(item[1], spaces);
  }
  return withParameters([`(${items.join(' ')})`, rest.slice(1)]);
}

/**
 * One member of a structured-field dictionary (RFC 9651 §4.2.2) in its strict serialisation, as `;key` needs it
 * (RFC 9421 §2.1.2). Gives `undefined` when the member is missing or the field malformed; keys that occur twice
 * and base64 that is not canonical count as malformed, dates and display strings too.
 */
export function dictionaryMember(field: string, key: string): string | undefined {
  const members = new Map<string, string>();
  let rest = field.trim();
  while (rest !== '') {
    const name = sfKey.exec(rest)?.[0];
    if (name === undefined || members.has(name)) return undefined;
    rest = rest.slice(name.length);
    const value: Step | undefined = !rest.startsWith('=')
      ? withParameters(['?1', rest])
      : rest.startsWith('=(')
        ? innerList(rest.slice(1))
        : withParameters(bareItem(rest.slice(1)));
    if (value === undefined) return undefined;
    members.set(name, value[0]);
    rest = skip(value[1], optionalSpace);
    if (rest === '') break;
    if (!rest.startsWith(',')) return undefined;
    rest = skip(rest.slice(1), optionalSpace);
    if (rest === '') return undefined;
  }
  return members.get(key);
}
