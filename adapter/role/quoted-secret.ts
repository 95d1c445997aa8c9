import type { Message } from '@bufbuild/protobuf';

/** Fields of requests (the descriptors' local names) whose content is for the host and the function alone. */
const secretFields: ReadonlySet<string> = new Set([
  'password',
  'answers',
  'user',
  'payload',
  'key',
  'additionalData',
  'masterKey',
  'objectData',
]);

/** Nobody hits upon so many characters of a secret in a row by chance. */
const pieceLength = 12;
const pieceStep = 4;
/** Below, encoded forms would be found in any text. */
const minEncodedLength = 4;
/** Characters of secrets that are searched; a denial must not cost more than the call. */
const maxSearched = 65_536;

/**
 * Does a text of a function, as the reason of a denial or the message of an error, quote a secret of the request: as it
 * is, or in JSON, base64, base64url or hexadecimal? A short secret is looked for as a whole, a longer one in pieces. A
 * request too large to be searched counts as quoted.
 *
 * Takes the request as the host sent it and the text as it would be logged.
 */
export function quotesSecret({ $typeName: _, ...fields }: Message, text: string): boolean {
  const secrets = Object.entries(fields)
    .filter(([name]) => secretFields.has(name))
    .flatMap(([, value]) => textsOf(value));
  if (secrets.reduce((length, secret) => length + secret.length, 0) > maxSearched) return true;
  const pieces = piecesOf(text);
  // what is encoded has no spaces: of a sentence hardly a piece is left
  const words = pieces.filter((piece) => !piece.includes(' '));
  return secrets.some(
    (secret) =>
      plainForms(secret).some((form) => shares(form, text, pieces)) ||
      encodedForms(secret).some((form) => shares(form, text, words)),
  );
}

function textsOf(value: unknown): readonly string[] {
  const texts = value instanceof Uint8Array ? [Buffer.from(value).toString()] : [value].flat();
  return texts.filter((text) => typeof text === 'string' && text !== '') as string[];
}

function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at + pieceLength <= text.length; at += pieceStep) {
    pieces.push(text.slice(at, at + pieceLength));
  }
  return [...pieces, text.slice(-pieceLength)];
}

function shares(form: string, text: string, pieces: readonly string[]): boolean {
  if (form.length < 2 * pieceLength) return text.includes(form);
  return pieces.some((piece) => piece.length === pieceLength && form.includes(piece));
}

/** As `formatReason` leaves them. */
function plainForms(secret: string): readonly string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, inJson, JSON.stringify(inJson).slice(1, -1)])].map((form) =>
    form.replace(/[^ -~]/g, '?'),
  );
}

/** Base64 at each of the three places that a byte can have in it, without the characters that it shares. */
function encodedForms(secret: string): readonly string[] {
  if (secret.length < minEncodedLength) return [];
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  return [...new Set([...base64, ...base64url, hex, hex.toUpperCase()])];
}
