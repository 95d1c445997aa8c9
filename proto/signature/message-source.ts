import type { Component, ComponentSource } from './base.ts';
import type { HeaderList } from './message.ts';
import { dictionaryMember } from './structured-field.ts';

/** A field's lines trimmed, line folds made one space, joined with a comma (RFC 9421 §2.1). */
function fieldValue(headers: HeaderList, name: string): string | undefined {
  const lines = headers.filter(([each]) => each.toLowerCase() === name);
  if (lines.length === 0) return undefined;
  return lines.map(([, value]) => value.trim().replaceAll(/[ \t]*\r\n[ \t]+/g, ' ')).join(', ');
}

/** Percent-encodes as application/x-www-form-urlencoded, with %20 for a space (RFC 9421 §2.2.8). */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()~]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function queryParameter(url: URL, name: string | undefined): string | undefined {
  const [first, second] = [...url.searchParams].filter(([each]) => percentEncode(each) === name);
  return first && !second ? percentEncode(first[1]) : undefined;
}

function fromUrl({ name, queryName }: Component, url: URL): string | undefined {
  switch (name) {
    case '@authority':
      return url.host;
    case '@scheme':
      return url.protocol.slice(0, -1);
    case '@request-target':
      return url.pathname + url.search;
    case '@path':
      return url.pathname;
    case '@query':
      return url.search || '?';
    case '@query-param':
      return queryParameter(url, queryName);
    default:
      return undefined;
  }
}

/**
 * Takes any component of RFC 9421 §2 but `;sf`, `;bs` and `;tr` from a message, beyond what the profile covers:
 * the appendix's vectors and other signers' messages. @request-target is HTTP/1.1's origin form.
 */
export function messageSource(message: {
  readonly method?: string;
  readonly url?: string;
  readonly status?: number;
  readonly headers: HeaderList;
}): ComponentSource {
  const { headers, url, ...derived } = message;
  return {
    ...derived,
    ...(url === undefined ? {} : { url: new URL(url).href }),
    field: (name) => fieldValue(headers, name),
    other(component) {
      if (component.key === undefined) return url && fromUrl(component, new URL(url));
      const value = fieldValue(headers, component.name);
      return value && dictionaryMember(value, component.key);
    },
  };
}
