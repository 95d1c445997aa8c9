import { type FamilyName, isFamilyName } from './families.ts';

/** Few values each: no address, no name of a user, nothing of a call's content. */
export type Labels = Readonly<Record<string, string>>;

/** Upper bounds of a histogram's buckets, in seconds: from a cached verdict to SFTPGo's deadline. */
export const bucketBoundsS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20,
] as const;

/** A histogram's content: how many fell into each bucket (not cumulated), the sum in seconds, and how many in all. */
export interface Histogram {
  readonly buckets: readonly number[];
  readonly sumS: number;
  readonly count: number;
}

/** One figure with its labels, at one moment. */
export interface Sample {
  readonly family: FamilyName;
  readonly labels: Labels;
  /** A number, or a histogram where the family is one. */
  readonly value: number | Histogram;
}

/** A label with endless values must not become endless memory. */
const maxSeries = 2000;

interface Series<V> {
  readonly labels: Labels;
  value: V;
}

interface MutableHistogram {
  readonly buckets: number[];
  sumS: number;
  count: number;
}

/**
 * The figures of one process. Counting costs a map look-up; gauges are read when somebody asks.
 *
 * ```ts
 * metrics.count('calls_total', { rpc: 'CheckIP', outcome: 'ok' });
 * metrics.observe('call_seconds', 0.0012, { rpc: 'CheckIP' });
 * ```
 */
export class Metrics {
  readonly #counters = new Map<string, Series<number> & { readonly family: FamilyName }>();
  readonly #histograms = new Map<string, Series<MutableHistogram> & { readonly family: FamilyName }>();
  readonly #gauges = new Map<FamilyName, () => number | undefined>();
  /** Labels of every figure: the role's type. */
  readonly #common: Labels;

  constructor(common: Labels = {}) {
    this.#common = common;
  }

  /** Adds to a counter. A name that is no figure's is ignored: a policy's counter never fails a call. */
  count(name: string, labels: Labels = {}, by = 1): void {
    if (!isFamilyName(name)) return;
    const key = keyOf(name, labels);
    const series = this.#counters.get(key);
    if (series !== undefined) series.value += by;
    else if (this.#counters.size < maxSeries) this.#counters.set(key, { family: name, labels, value: by });
  }

  /** Adds one duration, in seconds, to a histogram. */
  observe(name: FamilyName, seconds: number, labels: Labels = {}): void {
    const key = keyOf(name, labels);
    let series = this.#histograms.get(key);
    if (series === undefined) {
      if (this.#histograms.size >= maxSeries) return;
      const buckets = Array.from({ length: bucketBoundsS.length + 1 }, () => 0);
      series = { family: name, labels, value: { buckets, sumS: 0, count: 0 } };
      this.#histograms.set(key, series);
    }
    const { value } = series;
    const index = bucketBoundsS.findIndex((boundS) => seconds <= boundS);
    const bucket = index < 0 ? bucketBoundsS.length : index;
    value.buckets[bucket] = (value.buckets[bucket] ?? 0) + 1;
    value.sumS += seconds;
    value.count += 1;
  }

  /** A figure that is read when somebody asks; `undefined` leaves it out. A second one of the same name replaces it. */
  gauge(name: FamilyName, read: () => number | undefined): void {
    this.#gauges.set(name, read);
  }

  /** Every figure now, in the order of their names. */
  samples(): readonly Sample[] {
    const all: Sample[] = [];
    for (const { family, labels, value } of this.#counters.values()) {
      all.push({ family, labels: { ...this.#common, ...labels }, value });
    }
    for (const { family, labels, value } of this.#histograms.values()) {
      const { buckets, sumS, count } = value;
      all.push({
        family,
        labels: { ...this.#common, ...labels },
        value: { buckets: [...buckets], sumS, count },
      });
    }
    for (const [family, read] of this.#gauges) {
      const value = read();
      if (value !== undefined) all.push({ family, labels: this.#common, value });
    }
    return all.sort((a, b) => (a.family < b.family ? -1 : a.family > b.family ? 1 : 0));
  }
}

function keyOf(name: string, labels: Labels): string {
  let key = name;
  for (const label in labels) key += `\n${label}=${labels[label]}`;
  return key;
}
