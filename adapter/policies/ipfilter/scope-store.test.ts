import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { IPFilter } from '../../../proto/gen/sftpgo/ipfilter_pb.ts';
import { parseAddress } from '../../../proto/net/address.ts';
import { parsePrefix } from '../../../proto/net/prefix.ts';
import {
  dice,
  holds,
  type NaiveAddress,
  type NaiveNetwork,
  network,
  networkText,
  someAddress,
  someRules,
  textOf,
  widthOf,
} from '../../../test/support/naive-filter.ts';
import { factsWith, signedError } from '../../../test/support/policies.ts';
import type { Facts } from '../../shapes.ts';
import type { Outcome } from '../shared/cache.ts';
import { type Question, ScopeStore } from './scope-store.ts';

const output = create(IPFilter.method.checkIP.output);
const yes = (facts: Partial<Facts> = {}): Outcome => ({ reply: { output, facts: factsWith(facts) } });
const no = (facts: Partial<Facts> = {}): Outcome => ({ denied: signedError('permission_denied', facts) });

function question(ip: string, protocol = 1): Question {
  const address = parseAddress(ip);
  if (address === undefined) throw new Error(ip);
  return { id: ip, address, protocol };
}

/** Remembers a verdict for a network, fresh until `freshMs` and a reserve until `errorMs`. */
function keep(
  store: ScopeStore,
  ip: string,
  scope: string,
  {
    outcome = yes(),
    protocols = -1,
    freshMs = 1000,
    errorMs = freshMs,
    nowMs = 0,
  }: { outcome?: Outcome; protocols?: number; freshMs?: number; errorMs?: number; nowMs?: number } = {},
): void {
  const lifetime = {
    prefix: parsePrefix(scope),
    protocols,
    freshMs: 0,
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
  };
  const entry = { freshUntil: freshMs, revalidateUntil: freshMs, errorUntil: errorMs, epoch: 0 };
  store.set(question(ip), outcome, entry, { lifetime, nowMs });
}

const roomy = () => new ScopeStore({ maxEntries: 1e6, maxBytes: 1e9 });

test('verdicts that contradict each other: as a list searched naively decides', () => {
  const random = dice(5);
  for (let round = 0; round < 10; round += 1) {
    const rules = someRules(random, 5);
    const store = roomy();
    let kept: {
      scope: string;
      net: NaiveNetwork;
      protocol: number;
      allowed: boolean;
      fresh: number;
      error: number;
    }[] = [];
    for (let nowMs = 0; nowMs < 120; nowMs += 1) {
      const address: NaiveAddress = someAddress(rules, random);
      const ip = textOf(address, random);
      const width = widthOf(address);
      const net = network(address, Math.max(0, width - random(random(2) === 0 ? 3 : width)));
      const protocols = 1 + random(15);
      const allowed = random(2) === 0;
      const freshMs = nowMs + random(60);
      const errorMs = freshMs + random(40);
      const scope = networkText(net);
      keep(store, ip, scope, { outcome: allowed ? yes() : no(), protocols, freshMs, errorMs, nowMs });
      for (const protocol of [1, 2, 4, 8].filter((bit) => (protocols & bit) !== 0)) {
        const same = kept.find((one) => one.scope === scope && one.protocol === protocol);
        const denyStands = allowed && same !== undefined && !same.allowed && nowMs < same.fresh;
        kept = kept.filter((one) => {
          const within = one.net.length > net.length && holds(one.net, address) && one.protocol === protocol;
          return !(within && nowMs >= one.fresh) && (one !== same || denyStands);
        });
        if (!denyStands) kept.push({ scope, net, protocol, allowed, fresh: freshMs, error: errorMs });
      }
      for (let n = 0; n < 3; n += 1) {
        const asked = someAddress(rules, random);
        const protocol = 1 << random(4);
        const [expected] = kept
          .filter((one) => one.protocol === protocol && holds(one.net, asked) && nowMs < one.error)
          .sort((a, b) => b.net.length - a.net.length);
        const found = store.get(question(textOf(asked, random), protocol), nowMs);
        expect(found?.said.allowed).toBe(expected?.allowed);
        expect(found?.freshUntil).toBe(expected?.fresh);
      }
    }
  }
});

test('no more than so many verdicts: those that were asked for stay', () => {
  const store = new ScopeStore({ maxEntries: 100, maxBytes: 1e9 });
  keep(store, '192.0.2.1', '192.0.2.1/32');
  for (let n = 0; n < 800; n += 1) {
    keep(store, `10.0.${n >> 8}.${n & 255}`, `10.0.${n >> 8}.${n & 255}/32`);
    expect(store.get(question('192.0.2.1'), 1)?.said.allowed).toBe(true);
  }
  expect(store.size).toBe(100);
});

test('no more than so many bytes, reasons included; what is gone gives them back', () => {
  const maxBytes = 100_000;
  const store = new ScopeStore({ maxEntries: 1e6, maxBytes });
  for (let n = 0; n < 800; n += 1) {
    const ip = `10.0.${n >> 8}.${n & 255}`;
    keep(store, ip, `${ip}/32`, { outcome: no({ reason: `${n}`.padEnd(200, 'x') }) });
    expect(store.bytes).toBeLessThanOrEqual(maxBytes);
  }
  expect(store.size).toBeGreaterThan(50);
  const same = new ScopeStore({ maxEntries: 1e6, maxBytes });
  for (let n = 0; n < 800; n += 1) {
    const ip = `10.0.${n >> 8}.${n & 255}`;
    keep(same, ip, `${ip}/32`, { outcome: no({ reason: 'x'.repeat(200) }), protocols: 1 });
  }
  // what many verdicts say is kept once
  expect(same.size).toBeGreaterThan(3 * store.size);
  for (let n = 0; n < 800; n += 1) same.delete(question(`10.0.${n >> 8}.${n & 255}`));
  expect([same.size, same.bytes]).toEqual([0, 0]);
});

test('a verdict that is over is gone when it is asked for, and one too large for the memory is not kept', () => {
  const store = roomy();
  keep(store, '192.0.2.1', '192.0.2.0/24', { freshMs: 5, errorMs: 10 });
  expect(store.get(question('192.0.2.9'), 9)).toBeDefined();
  expect(store.get(question('192.0.2.9'), 10)).toBeUndefined();
  expect([store.size, store.bytes]).toEqual([0, 0]);
  const tiny = new ScopeStore({ maxEntries: 10, maxBytes: 100 });
  keep(tiny, '192.0.2.1', '192.0.2.0/24');
  expect([tiny.size, tiny.bytes]).toEqual([0, 0]);
});

test('a denial comes back as it was: DENIED, with its reason', () => {
  const store = roomy();
  keep(store, '192.0.2.1', '192.0.2.0/24', { outcome: no({ reason: 'banned', keyid: 'k', version: 'v' }) });
  const found = store.get(question('192.0.2.1'), 1);
  expect(found && store.recall(found)).toMatchObject({
    denied: {
      code: 'DENIED',
      connect: 'permission_denied',
      facts: { reason: 'banned', keyid: 'k', version: 'v' },
    },
  });
});

test('memory is not filled by networks of many lengths', () => {
  const store = roomy();
  for (let length = 128; length >= 0; length -= 1) {
    keep(store, '2001:db8::1', networkText(network({ family: 6, bits: 0x20010db8n << 96n }, length)));
  }
  for (let length = 0; length <= 128; length += 1)
    expect(store.get(question('2001:db8::1'), 1)).toBeDefined();
  store.delete(question('2001:db8::1'));
  // every network held the address: only other protocols are left
  expect(store.get(question('2001:db8::1'), 1)).toBeUndefined();
  expect(store.get(question('2001:db8::1', 2), 1)).toBeDefined();
});
