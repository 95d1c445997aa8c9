import type { RoleStatus } from '../../adapter/metrics/status-socket.ts';
import type { PluginTypeName } from '../../proto/plugin-types.ts';

/** How one call ended, as the Go host saw it. */
export interface Ended {
  readonly type: PluginTypeName;
  readonly rpc: string;
  /** What the function tells of it; undefined where several calls look alike to it. */
  readonly n: number | string | undefined;
  /** `ok`, the adapter's error code, `NOT_FOUND` (the SDK's word), or `gone`: there was no adapter. */
  readonly how: string;
  /** What came back is not what the function decides about this question. */
  readonly wrong?: string;
}

/** One row of the closing table: two ends of the same calls, which must be equal. */
export interface Row {
  readonly type: PluginTypeName;
  readonly what: string;
  readonly host: number;
  readonly adapter: number;
  /** Of these, how many the function told; undefined where it was not asked, or need not have been. */
  readonly told?: number;
}

/** The books of a soak. */
export interface Closing {
  readonly rows: readonly Row[];
  /** Calls while there was no adapter to take them. */
  readonly gone: number;
  /** Questions that the function told and whose answer did not come through: kills and cuts. */
  readonly lost: number;
  /** Questions that reached the function twice, and requests that the adapters sent twice. */
  readonly twice: number;
  readonly retries: number;
  /** What does not add up, in words; empty if all does. */
  readonly differences: readonly string[];
}

const ofFunction: ReadonlySet<string> = new Set(['ok', 'DENIED', 'FUNCTION_ERROR', 'NOT_FOUND']);

/** Outcomes of `calls_total` by what the host saw. */
const outcomes: Readonly<Record<string, readonly string[]>> = {
  answered: ['ok', 'denied', 'cached', 'stale', 'local'],
  FUNCTION_ERROR: ['function-error'],
  'UNREACHABLE, DEADLINE': ['unreachable'],
  OVERLOADED: ['shed'],
  INPUT_INVALID: ['invalid'],
};

const groups: Readonly<Record<string, string>> = {
  ok: 'answered',
  DENIED: 'answered',
  NOT_FOUND: 'FUNCTION_ERROR',
  UNREACHABLE: 'UNREACHABLE, DEADLINE',
  DEADLINE: 'UNREACHABLE, DEADLINE',
};

/** Counts what host, adapters and functions say of the same calls. */
export class Ledger {
  readonly #ended: Ended[] = [];
  /** By type and row. */
  readonly #adapter = new Map<string, number>();
  readonly #told = new Map<string, number>();
  #again = 0;
  #retries = 0;

  /** The host has its answer. */
  ended(call: Ended): void {
    this.#ended.push(call);
  }

  /** The function of a type tells what reached it. */
  told(type: PluginTypeName, rpc: string, n: string): void {
    if (n === 'again') this.#again += 1;
    else add(this.#told, `${type} ${rpc} ${n}`, 1);
  }

  /** All that an adapter's process has counted, at its end. */
  counted({ type, samples }: RoleStatus): void {
    for (const { family, labels, value } of samples) {
      if (typeof value !== 'number') continue;
      const { outcome = '', check = '' } = labels;
      if (family === 'retries_total') this.#retries += value;
      if (family === 'refused_total') add(this.#adapter, `${type} ${check}`, value);
      if (family !== 'calls_total' || outcome === 'refused') continue;
      const row = Object.keys(outcomes).find((group) => outcomes[group]?.includes(outcome)) ?? outcome;
      add(this.#adapter, `${type} ${row}`, value);
    }
  }

  /** How many calls have ended. */
  get calls(): number {
    return this.#ended.length;
  }

  /** Closes the books. */
  close(): Closing {
    const differences: string[] = [];
    const host = new Map<string, number>();
    const answers = new Map<string, number>();
    const told = new Map(this.#told);
    let [gone, lost] = [0, 0];
    for (const { type, rpc, n, how, wrong } of this.#ended) {
      if (wrong !== undefined) differences.push(`${type} ${rpc} ${n}: ${wrong}`);
      if (how === 'gone') {
        gone += 1;
        continue;
      }
      const row = `${type} ${groups[how] ?? how}`;
      add(host, row, 1);
      if (n === undefined) continue;
      const wasTold = told.delete(`${type} ${rpc} ${n}`);
      if (!ofFunction.has(how)) lost += wasTold ? 1 : 0;
      else if (wasTold) add(answers, row, 1);
      else differences.push(`${type} ${rpc} ${n}: ${how}, and the function was not asked`);
    }
    for (const question of told.keys())
      differences.push(`${question}: the function was asked, the host did not ask`);
    const names = [...new Set([...host.keys(), ...this.#adapter.keys()])].sort();
    const rows = names.map((name): Row => {
      const [type = '', ...what] = name.split(' ');
      const counts = { host: host.get(name) ?? 0, adapter: this.#adapter.get(name) ?? 0 };
      if (counts.host !== counts.adapter)
        differences.push(`${name}: host ${counts.host}, adapter ${counts.adapter}`);
      const told = answers.get(name);
      return { type: type as PluginTypeName, what: what.join(' '), ...counts, ...(told ? { told } : {}) };
    });
    const twice = [...this.#told.entries()].reduce((sum, [question, times]) => {
      if (times > 1 && question.startsWith('auth ')) differences.push(`${question}: a login was sent twice`);
      return sum + times - 1;
    }, 0);
    if (twice > this.#retries)
      differences.push(`${twice} questions arrived twice, ${this.#retries} were sent twice`);
    return { rows, gone, lost, twice, retries: this.#retries, differences };
  }

  /** Answers of the function that are no single call's: remembered verdicts, reloads. */
  get again(): number {
    return this.#again;
  }
}

function add(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
