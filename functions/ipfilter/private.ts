import { type NetworkSet, NetworkSetBuilder } from '../../proto/net/network-set.ts';
import { contains, type Prefix, parsePrefix } from '../../proto/net/prefix.ts';

/**
 * Networks that are nowhere on the map: "this network" (RFC 1122), private (RFC 1918), shared behind a carrier's
 * NAT (RFC 6598), loopback, link-local, unique local (RFC 4193). Documentation and other reserved networks are not
 * among them: a database does not know those.
 */
const privateNetworks: readonly Prefix[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
].map(parsePrefix);

/** The private networks as a set. */
export function privateSet(): NetworkSet {
  const builder = new NetworkSetBuilder();
  for (const network of privateNetworks) builder.add(network);
  return builder.build();
}

/** Is all of the network private? */
export function isPrivateNetwork(network: Prefix): boolean {
  return privateNetworks.some((outer) => contains(outer, network));
}
