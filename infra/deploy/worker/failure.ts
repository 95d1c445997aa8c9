import { ControlPlaneError, type ControlPlaneProblem } from '../../../adapter/targets/control-plane.ts';
import { PluginError } from '../../../proto/error.ts';

const remedies = {
  unreachable:
    'Check the network, a proxy (HTTPS_PROXY) and CLOUDFLARE_API_BASE_URL; then run it again: it goes on.',
  throttled: 'Wait five minutes (1200 requests in five minutes are allowed), then run it again: it goes on.',
  forbidden:
    'Check CLOUDFLARE_ACCOUNT_ID, and that CLOUDFLARE_API_TOKEN has not expired and may edit Workers Scripts of that account: docs/deploy.md.',
} as const;

/** Cloudflare's own numbers: `Authentication error`, `Unauthorized to access requested resource`, bad token. */
const forbiddenCodes: ReadonlySet<number> = new Set([10000, 10001, 9109, 9103, 6003, 6111]);
const throttledCodes: ReadonlySet<number> = new Set([971, 10429]);

/** UNREACHABLE of Cloudflare's API while deploying, in its three messages. */
export function deployUnreachable(
  problem: ControlPlaneProblem,
  detail: string,
  purpose: string,
  cause?: unknown,
): ControlPlaneError {
  return new ControlPlaneError(problem, {
    platform: 'Cloudflare',
    api: 'the Cloudflare API',
    detail,
    effect: `so nothing was changed by this step: ${purpose}`,
    expected: 'an answer of the API to this token',
    remedies,
    cause,
  });
}

/** Which of the three an answer of the API is; undefined for any other. */
export function problemOfAnswer(
  status: number,
  codes: readonly number[],
): Exclude<ControlPlaneProblem, 'unreachable'> | undefined {
  if (status === 429 || codes.some((code) => throttledCodes.has(code))) return 'throttled';
  if (status === 401 || status === 403 || codes.some((code) => forbiddenCodes.has(code))) return 'forbidden';
  return undefined;
}

/**
 * Why wrangler failed: UNREACHABLE in one of three messages, or INPUT_INVALID with its own words.
 *
 * It prints no secret that it read from a file; its words are cut to 600 characters all the same.
 */
export function wranglerFailure(
  purpose: string,
  { said, code, message }: { said: string; code?: number; message?: string },
): PluginError {
  const words = plain(said);
  const problem = problemOfAnswer(0, code === undefined ? codesIn(words) : [code]);
  const detail = `wrangler: ${code ?? message ?? 'no reason'}`;
  if (problem !== undefined) return deployUnreachable(problem, detail, purpose);
  if (/fetch failed|ECONNREFUSED|ENOTFOUND|ETIMEDOUT|ECONNRESET|EAI_AGAIN/.test(words)) {
    return deployUnreachable('unreachable', 'wrangler: fetch failed', purpose);
  }
  return new PluginError('INPUT_INVALID', {
    happened: `wrangler could not ${purpose}: ${firstError(words)}`,
    expected: 'a configuration that Cloudflare accepts',
    remedy: 'Read its words, correct the wrangler configuration, and run it again: it goes on.',
  });
}

function codesIn(words: string): number[] {
  return [...words.matchAll(/\[code: (\d+)\]/g)].map(([, digits]) => Number(digits));
}

/** From the first line that says ERROR, without the invitation to file an issue. */
function firstError(words: string): string {
  const [, error = words] = /ERROR\]\s*([\s\S]*)/.exec(words) ?? [];
  const [text = ''] = error.split(/If you think this is a bug|🪵/u);
  return text.replace(/\s+/g, ' ').trim().slice(0, 600) || 'it gave no reason';
}

/** Without the colours of a terminal. */
function plain(text: string): string {
  return text.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
