import { PluginError } from '../error.ts';

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
  /** Absolute, as `new URL().href` writes it. */
  readonly url?: string;
  readonly status?: number;
  /** The combined value of a field's lines (RFC 9421 §2.1), `undefined` if there is none. */
  field(name: string): string | undefined;
  /**
   * Everything but whole fields, @method, @target-uri and @status: `messageSource` knows the rest of the RFC, the
   * profile only the one dictionary member that it covers.
   */
  other?(component: Component): string | undefined;
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

function componentValue(component: Component, source: ComponentSource): string | undefined {
  switch (component.name) {
    case '@method':
      return source.method;
    case '@target-uri':
      return source.url;
    case '@status':
      return source.status?.toString();
    default:
      return component.key !== undefined || component.name.startsWith('@')
        ? source.other?.(component)
        : source.field(component.name);
  }
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
    const source = each.req ? request : message;
    const value = source && componentValue(each, source);
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
