import { generateKeyPairSync, hash, randomBytes, sign, verify } from 'node:crypto';
import { median } from './measure.ts';

/** As long as the signature base of a call. */
const baseBytes = 900;
const bodyBytes = 64;
const batches = 21;
const operations = 200;

/** What the cryptography of a call costs, in µs each, on node:crypto without anything around it. */
export interface RawCrypto {
  readonly signUs: number;
  readonly verifyUs: number;
  readonly sha256Us: number;
}

/** Medians of batches, in processor time: other work on the machine must not make the parts look dear. */
export function rawCrypto(): RawCrypto {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const base = randomBytes(baseBytes);
  const body = randomBytes(bodyBytes);
  const signature = sign(null, base, privateKey);
  return {
    signUs: micros(() => sign(null, base, privateKey)),
    verifyUs: micros(() => verify(null, base, publicKey, signature)),
    sha256Us: micros(() => hash('sha256', body, 'buffer')),
  };
}

function micros(run: () => unknown): number {
  const costs: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const started = process.cpuUsage();
    for (let index = 0; index < operations; index += 1) run();
    const { user, system } = process.cpuUsage(started);
    costs.push((user + system) / operations);
  }
  return median(costs);
}
