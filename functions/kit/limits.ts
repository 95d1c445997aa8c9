import { maxRequestBytes } from '../../proto/limits.ts';

/**
 * The largest answer on any target, in bytes: what Lambda carries
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). Larger users answer with `merge`.
 */
export const maxAnswerBytes = 6 * 1024 * 1024;

/**
 * On Lambda the body is base64 in a JSON answer of at most 6,291,556 bytes: this, a third more for base64, and
 * 32 KiB for the rest.
 */
export const maxLambdaAnswerBytes = ((6 * 1024 * 1024 - 32 * 1024) / 4) * 3;

/** A request above its type's limit is still read up to here, so that the connection stays usable. */
export const maxDrainBytes = maxRequestBytes;

/** Nonces remembered in one isolate: 1,000 calls a second over a signature's life, about 15 MB. */
export const maxNonces = 100_000;

/** The JSON that one search may find, in bytes: as base64 in an answer, that is what Lambda still carries. */
export const maxFoundBytes = 3_400_000;
