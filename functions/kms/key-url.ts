import { FunctionError } from '../kit/index.ts';

/** What an `awskms://` URL says. */
export interface KeyUrl {
  /** Key id, alias (`alias/NAME`) or ARN, as KMS takes it. */
  readonly keyId: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly profile?: string;
  /** ARN of a role to assume. */
  readonly role?: string;
  readonly fips: boolean;
  readonly dualstack: boolean;
  /** KMS authenticates it with the ciphertext: Decrypt needs the same. */
  readonly context: Readonly<Record<string, string>>;
}

const contextPrefix = 'context_';
const texts = ['region', 'endpoint', 'profile', 'role'] as const;
const flags = ['fips', 'dualstack'] as const;
/** Known to SFTPGo's own plugin; nothing that a function of its own role and network could do. */
const foreign = ['anonymous', 'hostname_immutable', 'rate_limiter_capacity'];

/**
 * Reads a key URL in the form of SFTPGo's own kms plugin, which is that of the Go CDK
 * (https://gocloud.dev/howto/secrets/#aws): `awskms://alias/NAME?region=R`, `awskms://KEY-ID?…`,
 * `awskms:///arn:aws:kms:…?…`, with `context_NAME=VALUE` for the encryption context. What is unknown, given twice
 * or ambiguous is refused; `awssdk` is read and ignored, as there.
 *
 * @throws FunctionError invalid_argument
 */
export function parseKeyUrl(url: string): KeyUrl {
  const [, host, path = '', query] = /^awskms:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (host === undefined) throw invalid('expected awskms://alias/NAME?region=REGION');
  if (host.startsWith('arn:')) {
    throw invalid('an ARN needs three slashes: awskms:///ARN');
  }
  const keyId = (host + path).replace(/^\//, '');
  // no dots, so nothing that a path could be cleaned of; no percent signs, since KMS ids need none
  if (!/^[A-Za-z0-9_:-]+(\/[A-Za-z0-9_:-]+)*$/.test(keyId)) throw invalid('no key id, alias or ARN');
  return { keyId, ...readParameters(parseQuery(query ?? '')) };
}

function readParameters(given: ReadonlyMap<string, string>): Omit<KeyUrl, 'keyId'> {
  const context: [string, string][] = [];
  for (const [name, value] of given) {
    if (name.startsWith(contextPrefix)) {
      if (name === contextPrefix) throw invalid(`${contextPrefix} has no name`);
      context.push([name.slice(contextPrefix.length), value]);
    } else if (foreign.includes(name)) {
      throw invalid(`${name} means nothing to a function; remove it`);
    } else if (![...texts, ...flags, 'awssdk'].some((known) => known === name)) {
      throw invalid(`unknown parameter ${name}`);
    }
  }
  const text = (name: (typeof texts)[number]) => {
    const value = given.get(name);
    if (value === '') throw invalid(`${name} is empty`);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    ...text('region'),
    ...text('endpoint'),
    ...text('profile'),
    ...text('role'),
    fips: flag(given, 'fips'),
    dualstack: flag(given, 'dualstack'),
    context: Object.fromEntries(context),
  };
}

function flag(given: ReadonlyMap<string, string>, name: (typeof flags)[number]): boolean {
  const value = given.get(name) ?? 'false';
  if (value !== 'true' && value !== 'false') throw invalid(`${name} is neither true nor false`);
  return value === 'true';
}

/** Names and values of a query; application/x-www-form-urlencoded as in Go, but nothing malformed or doubled. */
function parseQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const [name = '', ...value] = part.split('=').map(decode);
    if (part.includes(';') || value.length > 1) throw invalid('a parameter that is not NAME=VALUE');
    if (parameters.has(name)) throw invalid(`${name} is given twice`);
    parameters.set(name, value[0] ?? '');
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid('a percent sign that encodes nothing');
  }
}

function invalid(why: string): FunctionError {
  return new FunctionError('invalid_argument', `kms.secrets.url: ${why}`);
}
