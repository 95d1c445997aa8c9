import {
  accept,
  allow,
  ask,
  auth,
  deny,
  denyLogin,
  eventsearcher,
  FunctionError,
  ipfilter,
  kms,
  metadata,
  notifier,
  type Plugin,
} from '../../../functions/kit/index.ts';
import { canary } from './secrets.ts';

/** What a handler does with a call, by the first two digits of the call's id. */
export type Deed = 'answer' | 'deny' | 'report' | 'throw' | 'throw-input' | 'slow';

interface Called {
  readonly id: string;
  readonly signal: AbortSignal;
}

/** A call and what came with it, as a careless author would quote it. */
function quote(input: object): string {
  return JSON.stringify(input, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  });
}

/** Text that a function makes of what it got: all of it, or the one field that matters. */
function carelessText(input: object, id: string): string {
  const secrets = ['password', 'answers', 'payload', 'objectData', 'user'];
  const found = secrets.flatMap((name) => {
    const value: unknown = Object(input)[name];
    if (value instanceof Uint8Array) return [new TextDecoder().decode(value)];
    return value === undefined || value === ''
      ? []
      : [typeof value === 'string' ? value : quote(Object(value))];
  });
  switch (Number.parseInt(id.slice(2, 3), 16) % 5) {
    case 0:
      return quote(input);
    case 1:
      return `wrong: ${found.join(' ')}`;
    case 2:
      return `wrong: ${Buffer.from(found.join('')).toString('base64')}`;
    case 3:
      return `wrong: ${Buffer.from(found.join('')).toString('hex')}`;
    default:
      return found.join(' ');
  }
}

/**
 * Functions of every type that misbehave as `deedOf` says, quoting what they got wherever they can say something.
 * `arrived` is told all that reached a handler.
 */
export function carelessFunctions(
  deedOf: (id: string) => Deed,
  arrived: (text: string) => void,
): Readonly<Record<string, Plugin<object>>> {
  async function misbehave(input: object, { id, signal }: Called): Promise<void> {
    arrived(quote(input));
    switch (deedOf(id)) {
      case 'report':
        throw new FunctionError('internal', carelessText(input, id));
      case 'throw':
        throw new Error(carelessText(input, id));
      case 'throw-input':
        throw input;
      case 'slow':
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
  }
  async function login(input: object, context: Called) {
    await misbehave(input, context);
    if (deedOf(context.id) !== 'deny') return accept.merge({ email: 'anna@example.org' });
    return denyLogin(carelessText(input, context.id));
  }
  async function misbehaveUnlessDenied(input: object, context: Called): Promise<void> {
    if (deedOf(context.id) === 'deny') {
      arrived(quote(input));
      throw new FunctionError('permission_denied', carelessText(input, context.id));
    }
    await misbehave(input, context);
  }
  const objectData = new TextEncoder().encode(JSON.stringify({ secret: canary('found-event') }));
  return {
    auth: auth<object>({
      checkUserAndPass: login,
      checkUserAndTLSCert: login,
      checkUserAndPublicKey: login,
      checkUserAndKeyboardInteractive: login,
      async sendKeyboardAuthRequest(step, context) {
        await misbehave(step, context);
        if (step.step === 1) return ask(['Password: ', 'Code: '], { state: { kept: canary('dialogue') } });
        return deedOf(context.id) === 'deny'
          ? denyLogin(carelessText({ ...step }, context.id))
          : accept.unchanged();
      },
    }),
    kms: kms<object>({
      async encrypt(input, context) {
        await misbehaveUnlessDenied(input, context);
        return Buffer.from(input.payload).toString('base64');
      },
      async decrypt(input, context) {
        await misbehaveUnlessDenied(input, context);
        return Buffer.from(input.payload, 'base64').toString();
      },
    }),
    notifier: notifier<object>({
      fsEvent: misbehaveUnlessDenied,
      providerEvent: misbehaveUnlessDenied,
      logEvent: misbehaveUnlessDenied,
    }),
    ipfilter: ipfilter<object>({
      async checkIP(input, context) {
        await misbehave(input, context);
        return deedOf(context.id) === 'deny' ? deny(quote(input)) : allow();
      },
      reload: (context) => misbehave({}, context),
    }),
    eventsearcher: eventsearcher<object>({
      async searchFsEvents(input, context) {
        await misbehaveUnlessDenied(input, context);
        return [];
      },
      async searchProviderEvents(input, context) {
        await misbehaveUnlessDenied(input, context);
        const found = { id: 'e', timestamp: 1n, username: 'admin', action: 'add', objectType: 'user' };
        return [{ ...found, objectName: 'anna', objectData, role: '' }];
      },
      searchLogEvents: () => [],
    }),
    metadata: metadata<object>({
      setModificationTime: misbehaveUnlessDenied,
      getModificationTime: () => 1n,
      getModificationTimes: () => ({}),
      removeMetadata: misbehaveUnlessDenied,
      getFolders: () => [],
    }),
  };
}
