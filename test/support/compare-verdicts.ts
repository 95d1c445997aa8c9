import { create } from '@bufbuild/protobuf';
import { compose } from '../../adapter/policies/compose.ts';
import { ipfilterSection } from '../../adapter/policies/ipfilter/config.ts';
import { ipfilterPolicies } from '../../adapter/policies/ipfilter/index.ts';
import type { Call, Handler } from '../../adapter/shapes.ts';
import { formatScope } from '../../proto/facts.ts';
import { IPFilter } from '../../proto/gen/sftpgo/ipfilter_pb.ts';
import { callOf } from './invoke.ts';
import {
  askedProtocols,
  decide,
  dice,
  type NaiveAddress,
  network,
  networkText,
  someAddress,
  someRules,
  textOf,
  uniformLength,
  widthOf,
} from './naive-filter.ts';
import { codeOf, factsWith, signedError } from './policies.ts';

/** What a comparison came to. */
export interface Comparison {
  readonly asked: number;
  /** Questions that reached the function: the others were answered by the cache. */
  readonly missed: number;
  /** The first disagreements, in words; none is what a test wants. */
  readonly wrong: readonly string[];
}

/**
 * Asks the adapter's policies about many addresses, over a function that decides by random rules and signs scopes as
 * wide as the rules allow, and compares every verdict with the rules, read naively. `advance` lets time pass.
 */
export async function compareVerdicts(options: {
  readonly seed: number;
  readonly ruleSets: number;
  readonly addressesEach: number;
  advance(ms: number): void;
}): Promise<Comparison> {
  const random = dice(options.seed);
  const wrong: string[] = [];
  let missed = 0;
  let asked = 0;
  for (let set = 0; set < options.ruleSets && wrong.length < 5; set += 1) {
    const rules = someRules(random);
    let current: { address: NaiveAddress; protocol: string } | undefined;
    const next: Handler = async (call: Call) => {
      if (current === undefined || call.method.name !== 'CheckIP')
        return { output: create(call.method.output) };
      missed += 1;
      const { address, protocol } = current;
      const facts = factsWith({ freshMs: 1000 * random(400), scope: scopeFor(address, protocol) });
      if (decide(rules, address, protocol)) return { output: create(call.method.output), facts };
      throw signedError('permission_denied', facts);
    };
    const scopeFor = (address: NaiveAddress, protocol: string): string => {
      const least = uniformLength(rules, address);
      const length = random(3) === 0 ? widthOf(address) : least + random(widthOf(address) - least + 1);
      const same = askedProtocols.filter(
        (one) => decide(rules, address, one) === decide(rules, address, protocol),
      );
      const prefix = networkText(network(address, length));
      if (same.length === askedProtocols.length) return formatScope({ prefix });
      return formatScope({
        prefix,
        protocols: same.filter((one) => one !== '' && (one !== 'GOPHER' || random(2) === 0)),
      });
    };
    const entries = [1, 50, 100_000][random(3)];
    const section = ipfilterSection.parse({ use: 'office', alwaysAllow: [], cache: { entries } });
    const policies = ipfilterPolicies(section);
    const handle = compose(policies, next);
    for (let n = 0; n < options.addressesEach; n += 1) {
      const address = someAddress(rules, random);
      const protocol = askedProtocols[random(askedProtocols.length)] ?? '';
      const ip = textOf(address, random);
      current = { address, protocol };
      asked += 1;
      const code = await codeOf(handle(callOf(IPFilter.method.checkIP, { ip, protocol })));
      const expected = decide(rules, address, protocol) ? 'answered' : 'DENIED';
      if (code !== expected)
        wrong.push(`seed ${options.seed}, set ${set}: ${ip} ${protocol}: ${code}, not ${expected}`);
      if (random(50) === 0) options.advance(random(60_000));
      if (random(5000) === 0) for (const policy of policies) await policy.reload?.();
    }
  }
  return { asked, missed, wrong: wrong.slice(0, 5) };
}
