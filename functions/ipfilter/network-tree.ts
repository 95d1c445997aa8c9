import { Boundaries } from '../../proto/net/boundaries.ts';
import { contains, type Prefix } from '../../proto/net/prefix.ts';
import { lastOf, nextOf, type Words, wordsOf } from '../../proto/net/words.ts';

/** The rules of a network, and behind it of the wider ones around it. */
export interface RuleNode {
  readonly parent: RuleNode | undefined;
  /** Indices, ascending, those left out that an earlier rule of this node or of a wider one makes pointless. */
  readonly rules: readonly number[];
  /** The first rule here or further out that decides by networks alone; infinite without one. */
  readonly decided: number;
}

/** A rule as the tree sees it. */
export interface TreeRule {
  readonly index: number;
  readonly networks: readonly Prefix[];
  /** It has no condition but its networks, and ends the matter. */
  readonly decides: boolean;
}

/**
 * Which rules' networks contain an address, by one binary search. Neighbouring networks for which the same rules
 * come into question are one stretch of addresses, so that a verdict holds for as wide a network as it can.
 */
export class NetworkTree {
  readonly #v4: Family;
  readonly #v6: Family;

  /** `rules`: ascending by index. */
  constructor(rules: readonly TreeRule[]) {
    this.#v4 = familyOf(rules, 4);
    this.#v6 = familyOf(rules, 6);
  }

  /** The innermost node around the address, and the leading bits of it that this answer depends on. */
  find(address: Words): { readonly node: RuleNode | undefined; readonly length: number } {
    const { boundaries, nodes } = address.length === 1 ? this.#v4 : this.#v6;
    const index = boundaries.at(address);
    return { node: nodes[index], length: boundaries.lengthAt(address, index) };
  }

  /** The last rule that any address can get to: its networks, or those of earlier rules, decide everywhere. */
  get lastDecided(): number {
    const decided = [this.#v4, this.#v6].flatMap(({ boundaries, nodes }) => {
      const first = boundaries.isAtZero() ? [] : [Number.POSITIVE_INFINITY];
      return [...first, ...nodes.map((node) => node?.decided ?? Number.POSITIVE_INFINITY)];
    });
    return decided.reduce((a, b) => Math.max(a, b), 0);
  }

  /** Every node that some address is directly in. */
  nodes(): ReadonlySet<RuleNode> {
    const found = [...this.#v4.nodes, ...this.#v6.nodes];
    return new Set(found.filter((node) => node !== undefined));
  }
}

interface Family {
  readonly boundaries: Boundaries;
  /** `nodes[i]` holds from boundary i to the next. */
  readonly nodes: readonly (RuleNode | undefined)[];
}

function familyOf(rules: readonly TreeRule[], family: 4 | 6): Family {
  const deciding = new Set(rules.filter(({ decides }) => decides).map(({ index }) => index));
  const entries = rules.flatMap(({ index, networks }) =>
    networks.filter((network) => network.family === family).map((network) => ({ network, index })),
  );
  entries.sort((a, b) => order(a.network, b.network) || a.index - b.index);
  const nodes = new NodeFactory(deciding);
  const stretches = new Stretches();
  const open: { readonly network: Prefix; readonly node: RuleNode | undefined }[] = [];
  for (let at = 0; at < entries.length; ) {
    const network = entries[at]?.network as Prefix;
    const own: number[] = [];
    for (; at < entries.length; at++) {
      const entry = entries[at];
      if (entry === undefined || order(entry.network, network) !== 0) break;
      if (own.at(-1) !== entry.index) own.push(entry.index);
    }
    for (let top = open.at(-1); top !== undefined && !contains(top.network, network); top = open.at(-1))
      close();
    const node = nodes.make(open.at(-1)?.node, own);
    stretches.begin(wordsOf(network), node);
    open.push({ network, node });
  }
  while (open.length > 0) close();
  return stretches.family(family === 4 ? 1 : 4);

  function close(): void {
    const closed = open.pop();
    if (closed === undefined) return;
    const after = nextOf(lastOf(wordsOf(closed.network), closed.network.length));
    if (after !== undefined) stretches.begin(after, open.at(-1)?.node);
  }
}

/** By address, the wider network first. The groups of IPv6 compare as their code units do. */
function order(a: Prefix, b: Prefix): number {
  if (a.family === 4 && b.family === 4) return a.bits - b.bits || a.length - b.length;
  if (a.family === 4 || b.family === 4) return a.family - b.family;
  if (a.groups === b.groups) return a.length - b.length;
  return a.groups < b.groups ? -1 : 1;
}

/** Makes each node once, so that equal ones are the same object. */
class NodeFactory {
  readonly #made = new Map<RuleNode | undefined, Map<string, RuleNode>>();
  readonly #deciding: ReadonlySet<number>;

  constructor(deciding: ReadonlySet<number>) {
    this.#deciding = deciding;
  }

  make(around: RuleNode | undefined, own: readonly number[]): RuleNode | undefined {
    const outside = around?.decided ?? Number.POSITIVE_INFINITY;
    const first = own.find((index) => this.#deciding.has(index)) ?? Number.POSITIVE_INFINITY;
    const decided = Math.min(outside, first);
    const rules = own.filter((index) => index <= decided);
    if (rules.length === 0) return around;
    let parent = around;
    // of wider networks only rules before the one that decides here matter
    while (parent !== undefined && (parent.rules[0] ?? 0) > decided) parent = parent.parent;
    const siblings = this.#made.get(parent) ?? new Map<string, RuleNode>();
    this.#made.set(parent, siblings);
    const key = rules.join();
    const node = siblings.get(key) ?? { parent, rules, decided };
    siblings.set(key, node);
    return node;
  }
}

/** Collects where each node begins to hold, in ascending order; a later call for the same address replaces. */
class Stretches {
  readonly #starts: Words[] = [];
  readonly #nodes: (RuleNode | undefined)[] = [];

  begin(start: Words, node: RuleNode | undefined): void {
    const last = this.#starts.at(-1);
    if (last?.every((word, at) => word === start[at])) {
      this.#starts.pop();
      this.#nodes.pop();
    }
    if (this.#nodes.at(-1) === node) return;
    this.#starts.push(start);
    this.#nodes.push(node);
  }

  family(width: number): Family {
    const words = new Uint32Array(this.#starts.length * width);
    for (const [at, start] of this.#starts.entries()) words.set(start, at * width);
    return { boundaries: new Boundaries(width, words), nodes: this.#nodes };
  }
}
