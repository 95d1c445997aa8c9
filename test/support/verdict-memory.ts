import { create } from '@bufbuild/protobuf';
import { ScopeStore } from '../../adapter/policies/ipfilter/scope-store.ts';
import type { Outcome } from '../../adapter/policies/shared/cache.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { formatAddress, parseAddress } from '../../proto/net/address.ts';
import { prefixOf } from '../../proto/net/prefix.ts';
import { factsWith, signedError } from './policies.ts';

/**
 * `node --expose-gc verdict-memory.ts KIND`: fills a store with 100,000 verdicts and prints its size, its own estimate
 * and the heap that it really takes, in bytes. KIND: `ipv4`, `ipv6`, `reasons` (each denied for a reason of its own).
 */
const count = 100_000;
const [kind = 'ipv4'] = process.argv.slice(2);

function heapBytes(): number {
  for (let n = 0; n < 4; n += 1) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function addressOf(n: number): string {
  return kind === 'ipv6'
    ? `2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`
    : `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
}

function outcomeOf(n: number): Outcome {
  const reason = kind === 'reasons' ? `reason ${n} ${'x'.repeat(100)}` : `rule ${n % 20}`;
  if (kind === 'reasons' || n % 2 === 0) return { denied: signedError('permission_denied', { reason }) };
  return { reply: { output: create(IPFilter.method.checkIP.output), facts: factsWith({ reason }) } };
}

function fill(store: ScopeStore, from: number, to: number): void {
  for (let n = from; n < to; n += 1) {
    const address = parseAddress(addressOf(n));
    if (address === undefined) throw new Error(addressOf(n));
    const prefix = prefixOf(address, address.family === 4 ? 32 : 64);
    const lifetime = { prefix, protocols: 1, freshMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
    // fractions of a millisecond, as the clock has them
    const nowMs = n + 0.123;
    const entry = {
      freshUntil: nowMs + 3e5,
      revalidateUntil: nowMs + 4e5,
      errorUntil: nowMs + 9e5,
      epoch: 0,
    };
    store.set({ id: formatAddress(address), address, protocol: 1 }, outcomeOf(n), entry, { lifetime, nowMs });
  }
}

// the code of both ways is compiled and its caches are filled before anything is measured
fill(new ScopeStore({ maxEntries: 2000, maxBytes: 1e9 }), 0, 5000);
const before = heapBytes();
const store = new ScopeStore({ maxEntries: count, maxBytes: 2 ** 40 });
fill(store, 0, count);
const heap = heapBytes() - before;
process.stdout.write(`${JSON.stringify({ size: store.size, estimate: store.bytes, heap })}\n`);
