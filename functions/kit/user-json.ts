/**
 * A user of SFTPGo as a value, and back, without rounding: an integer beyond 2^53 is a bigint, since a JavaScript
 * number cannot hold it. Uses the source text of JSON.parse and JSON.rawJSON, which Node 22, Lambda and Workers have
 * (https://github.com/tc39/proposal-json-parse-with-source).
 */
export function parseUser(bytes: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
    return isRounded && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

/** @throws TypeError for what JSON cannot say */
export function formatUser(user: object): Uint8Array {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  const text = JSON.stringify(user, (_key, value: unknown) =>
    typeof value === 'bigint' ? rawJSON(String(value)) : value,
  );
  return new TextEncoder().encode(text);
}
