import { PluginError } from '../error.ts';
import type { HeaderList } from './message.ts';
import { dictionaryMember } from './structured-field.ts';

/** One covered component (RFC 9421 §2) with its parameters. Made by {@link component}. */
export interface Component {
  /** A field name in lower case, or a derived name such as `@method`. */
  readonly name: string;
  /** As it stands in Signature-Input: `"@query-param";name="Pet"`. */
  readonly identifier: string;
  readonly req?: boolean;
  readonly key?: string;
  readonly queryName?: string;
}

/** What components are taken from: a request or an answer. */
export interface ComponentSource {
  readonly method?: string;
  readonly url?: string;
  readonly status?: number;
  /** The combined value of a field's lines (RFC 9421 §2.1), `undefined` if there is none. */
  field(name: string): string | undefined;
}

/**
 * Describes a component. `req` takes it from the request that an answer belongs to (RFC 9421 §2.4), `key` is a
 * dictionary member (§2.1.2), `queryName` the percent-encoded parameter of `@query-param` (§2.2.8).
 *
 * ```ts
 * component('signature', { req: true, key: 'sig' }).identifier; // '"signature";req;key="sig"'
 * ```
 */
export function component(
  name: string,
  parameters: { readonly req?: boolean; readonly key?: string; readonly queryName?: string } = {},
): Component {
  const { req, key, queryName } = parameters;
  let identifier = `"${name}"`;
  if (req) identifier += ';req';
  if (key !== undefined) identifier += `;key="${key}"`;
  if (queryName !== undefined) identifier += `;name="${queryName}"`;
  return { name, identifier, ...parameters };
}

/** The value of a field: its lines trimmed, line folds made one space, joined with a comma (RFC 9421 §2.1). */
export function fieldValue(headers: HeaderList, name: string): string | undefined {
  const lines = headers.filter(([each]) => each === name);
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
  const values = [...url.searchParams].filter(([each]) => percentEncode(each) === name);
  return values[1] === undefined && values[0] ? percentEncode(values[0][1]) : undefined;
}

function derivedValue({ name, queryName }: Component, source: ComponentSource): string | undefined {
  if (name === '@method') return source.method;
  if (name === '@status') return source.status?.toString();
  if (source.url === undefined) return undefined;
  const url = new URL(source.url);
  switch (name) {
    case '@target-uri':
      return url.href;
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

function componentValue(component: Component, source: ComponentSource | undefined): string | undefined {
  if (component.name.startsWith('@')) return source && derivedValue(component, source);
  const value = source?.field(component.name);
  return value === undefined || component.key === undefined ? value : dictionaryMember(value, component.key);
}

/**
 * The signature base (RFC 9421 §2.5): what is signed. `parameters` is the inner list with its parameters as it
 * stands in Signature-Input behind the label; `request` is where `;req` components come from.
 * Throws INPUT_INVALID when a component is not in the message or its value could forge a line.
 */
export function signatureBase(
  components: readonly Component[],
  parameters: string,
  message: ComponentSource,
  request?: ComponentSource,
): string {
  let base = '';
  for (const each of components) {
    const value = componentValue(each, each.req ? request : message);
    if (value === undefined || /[^ -~\t]/.test(value)) {
      throw new PluginError('INPUT_INVALID', {
        happened: `no usable value for the covered component ${each.identifier}`,
        expected: 'a component that is in the message once, in printable ASCII',
        remedy: 'Cover what the message has.',
      });
    }
    base += `${each.identifier}: ${value}\n`;
  }
  return `${base}"@signature-params": ${parameters}`;
}
