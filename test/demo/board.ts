import type { PluginTypeName } from '../../proto/plugin-types.ts';
import type { AdapterHost, CallOutcome } from './adapter-host.ts';
import type { Row } from './row.ts';

const permissionDenied = 7;
const notFound = 5;
/** Our codes that say: an answer came, or code was found, and it was not used. */
const refusals = new Set(['ANSWER_REFUSED', 'ANSWER_UNSIGNED', 'DRIFT', 'GRANT_REFUSED']);

/** One call to make and what must come of it. */
export interface Case {
  readonly rpc: string;
  readonly name: string;
  readonly fields?: () => Readonly<Record<string, unknown>>;
  readonly expect: Row['expect'];
  /** Looks at the answer; throws when it is not what was stored, encrypted or asked. */
  readonly check?: (output: Readonly<Record<string, unknown>>) => void;
}

/** Where a row's function runs. */
export interface Place {
  readonly type: PluginTypeName;
  readonly target: Row['target'];
  readonly runtime: string;
}

function resultOf(rpc: string, { grpcCode, errorCode }: CallOutcome): string {
  if (grpcCode === 0) return rpc === 'CheckIP' ? 'allowed' : 'ok';
  if (errorCode !== undefined && refusals.has(errorCode)) return 'refused';
  if (grpcCode === permissionDenied) return 'denied';
  return grpcCode === notFound ? 'not found' : 'failed';
}

/** Makes calls and keeps their rows; `onRow` hears of each at once. */
export class Board {
  readonly rows: Row[] = [];
  readonly #onRow: (row: Row) => void;

  constructor(onRow: (row: Row) => void) {
    this.#onRow = onRow;
  }

  /** Makes one call, checks its answer, and records the row. */
  async call(adapter: AdapterHost, place: Place, one: Case): Promise<void> {
    const outcome = await adapter.call(one.rpc, one.fields?.() ?? {});
    let result = resultOf(one.rpc, outcome);
    let code = outcome.errorCode ?? null;
    if (outcome.output && one.check) {
      try {
        one.check(outcome.output as unknown as Record<string, unknown>);
      } catch (error) {
        result = 'wrong answer';
        code = error instanceof Error ? error.message : String(error);
      }
    }
    const { facts } = outcome.trace;
    const row: Row = {
      type: place.type,
      rpc: one.rpc,
      case: one.name,
      target: place.target,
      runtime: place.runtime,
      expect: one.expect,
      result,
      ok: result === one.expect,
      evidence: facts?.evidence ?? null,
      keyid: facts?.keyid ?? null,
      digest: facts?.version ?? null,
      latencyMs: outcome.latencyMs,
      code: result === one.expect && result !== 'refused' ? null : code,
    };
    this.rows.push(row);
    this.#onRow(row);
  }
}
