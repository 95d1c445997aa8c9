import * as z from 'zod';
import { normaliseAddress } from './address.ts';
import { parseLambdaAddress } from './lambda-address.ts';

/** SHA-256 as 64 lower-case hex digits. */
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits (SHA-256)');

/** A public Ed25519 key (RFC 8037). A private part (`d`) is an unknown key here, and so refused. */
const publicKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  // the last character has no spare bits: one key has one spelling, and so one thumbprint
  x: z.string().regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/, 'expected 32 bytes as base64url'),
  kid: z.string().optional(),
});

/** One version of a function that the host accepts. */
const accepted = z.strictObject({
  /** Lambda version, Workers version id, or for https the build id that the bundle signs as plugin-version. */
  version: z.string().min(1),
  /** What was built: file name to SHA-256. */
  files: z.record(z.string().min(1), sha256Hex),
  /** Deployed configuration, field to value; long values as `sha256:…`. */
  config: z.record(z.string(), z.json()),
  /** What went in: `package@version` to SHA-256 of its bundled files. */
  inputs: z.record(z.string(), sha256Hex),
});

const types = z.enum(['auth', 'kms', 'notifier', 'metadata', 'ipfilter', 'eventsearcher']);
const targets = z.enum(['lambda', 'worker', 'https', 'local']);

/** What a platform calls a version that never means other code: not $LATEST, no alias, no part of an id. */
const versionForms: Partial<Record<string, { pattern: RegExp; expected: string }>> = {
  lambda: { pattern: /^[1-9]\d{0,18}$/, expected: 'expected the number of a published version' },
  worker: {
    pattern: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    expected: 'expected the id of a Workers version: a UUID in lower case',
  },
};

const lockedFunction = z
  .strictObject({
    type: types,
    target: targets,
    /** lambda: ARN without version; worker, https: URL; local: file, relative to the host's configuration. */
    address: z.string().min(1),
    /** Which RPCs the function implements, by method name. */
    handles: z.array(z.string().min(1)).min(1),
    accepts: z.array(accepted).min(1),
    /** Keys that may sign this function's answers. None for local: the adapter makes its key at each start. */
    keys: z.array(publicKey),
  })
  .superRefine((fn, context) => {
    if ((fn.target === 'local') !== (fn.keys.length === 0)) {
      const message = fn.target === 'local' ? 'expected no key: it is made at each start' : 'expected a key';
      context.addIssue({ code: 'custom', path: ['keys'], message });
    }
    const form = versionForms[fn.target];
    for (const [index, { version }] of fn.accepts.entries()) {
      if (form === undefined || form.pattern.test(version)) continue;
      const message = form.expected;
      context.addIssue({ code: 'custom', path: ['accepts', index, 'version'], message });
    }
    if (fn.target === 'local') return;
    const address = fn.target === 'lambda' ? parseLambdaAddress(fn.address) : normaliseAddress(fn.address);
    if ('problem' in address) {
      context.addIssue({ code: 'custom', path: ['address'], message: address.problem });
    }
  });

/** `name@stage`, as in plugin-function. */
const functionName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9][a-z0-9-]{0,62}$/, 'expected name@stage, as office@live');

/**
 * The lock: everything the host must know of a deployment, so that its own configuration is policy only.
 * docs/architecture.md, "The lock".
 */
export const lockSchema = z
  .strictObject({
    /** Version of this format. */
    format: z.literal(1),
    /** Grows with every lock; a lower one than the last accepted is refused. */
    seq: z.int().min(1),
    issued: z.iso.datetime(),
    expires: z.iso.datetime().optional(),
    functions: z.record(functionName, lockedFunction),
  })
  .superRefine((lock, context) => {
    const owners = new Map<string, string>();
    for (const [name, fn] of Object.entries(lock.functions)) {
      for (const [index, key] of fn.keys.entries()) {
        const owner = owners.get(key.x) ?? name;
        owners.set(key.x, owner);
        if (owner === name) continue;
        context.addIssue({
          code: 'custom',
          path: ['functions', name, 'keys', index],
          message: `this key is listed under ${owner} too: each function has its own key`,
        });
      }
    }
  });

/** The first thing that is wrong with a lock, with its place. */
export function problemOf({ issues: [issue] }: z.ZodError): string {
  const inner = issue?.code === 'invalid_key' ? issue.issues[0] : undefined;
  return `${issue?.path.join('.')}: ${(inner ?? issue)?.message}`;
}

export type Lock = z.infer<typeof lockSchema>;
export type LockedFunction = Lock['functions'][string];
export type AcceptedVersion = LockedFunction['accepts'][number];
