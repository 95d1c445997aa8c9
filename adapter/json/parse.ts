import type { Json, JsonObject } from './tree.ts';

/** Why a text is refused, in fixed words: they quote nothing of it. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Deeper is refused: a user record has six levels. */
const maxDepth = 32;

const numberText = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const words: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * Parses JSON (RFC 8259) so that no other parser can read it otherwise. Beyond the grammar it refuses what the RFC
 * leaves open and Go, JavaScript and Python decide differently: a key that occurs twice in an object, lone
 * surrogates (§8.2), NUL in a text, and more than 32 levels.
 *
 * Takes text; bytes are to be decoded with `fatal: true` before. Throws {@link JsonError}.
 */
export function parseJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(deeper(depth));
      case '[':
        return this.#array(deeper(depth));
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw new JsonError('something follows its end');
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>();
    this.#at += 1;
    if (this.#take('}')) return members;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw notJson();
      const key = this.#string();
      if (members.has(key)) throw new JsonError('a key occurs twice in one object');
      if (!this.#take(':')) throw notJson();
      members.set(key, this.value(depth));
    } while (this.#take(','));
    if (!this.#take('}')) throw notJson();
    return members;
  }

  #array(depth: number): readonly Json[] {
    const values: Json[] = [];
    this.#at += 1;
    if (this.#take(']')) return values;
    do values.push(this.value(depth));
    while (this.#take(','));
    if (!this.#take(']')) throw notJson();
    return values;
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (this.#text[end] !== '"') {
      if (end >= this.#text.length) throw notJson();
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#at = end + 1;
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      throw notJson();
    }
    if (!value.isWellFormed()) throw new JsonError('a text has half a surrogate pair');
    if (value.includes('\0')) throw new JsonError('a text has the character NUL');
    return value;
  }

  #scalar(): Json {
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    numberText.lastIndex = this.#at;
    const number = numberText.exec(this.#text)?.[0];
    if (number === undefined) throw notJson();
    this.#at += number.length;
    return { number };
  }

  #take(mark: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

function deeper(depth: number): number {
  if (depth === maxDepth) throw new JsonError(`it has more than ${maxDepth} levels`);
  return depth + 1;
}

/** The four characters of RFC 8259 §2 and no other white space. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function notJson(): JsonError {
  return new JsonError('it is not JSON');
}
