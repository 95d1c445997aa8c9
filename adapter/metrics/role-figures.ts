import type { RoleFiles } from '../config/load-role.ts';
import type { Log } from '../invoke/connection.ts';
import { exposeMetrics } from './expose.ts';
import { type AnsweredCall, countCall } from './outcome.ts';
import { addProcessFigures } from './process-figures.ts';
import { Metrics } from './registry.ts';
import { openStatusSocket, type RoleStatus } from './status-socket.ts';

/** What a role in force is, for its figures. */
export interface InForce {
  readonly files: RoleFiles;
  /** In words: how far the deployed code is proved. */
  readonly proof: string;
}

/**
 * The figures of one serving role, and the places where they are shown: the status socket in the state folder, always,
 * and Prometheus' text where `metrics.listen` of the section says. Both follow the files.
 */
export class RoleFigures {
  readonly metrics: Metrics;
  readonly #type: string;
  readonly #log: Log;
  #inForce: InForce | undefined;
  #problem: string | undefined;
  #serving = true;
  #provedAt: number | undefined;
  #exposed: { readonly listen: string; readonly end: () => void } | undefined;
  #status: { readonly state: string; readonly ended: Promise<() => Promise<void>> } | undefined;

  constructor(type: string, log: Log) {
    this.#type = type;
    this.#log = log;
    this.metrics = new Metrics({ type });
    addProcessFigures(this.metrics);
    this.metrics.gauge('serving', () => (this.#serving ? 1 : 0));
    this.metrics.gauge('lock_seq', () => this.#inForce?.files.seq);
    this.metrics.gauge('lock_expires_timestamp_seconds', () => {
      const expires = this.#inForce?.files.lockExpires;
      return expires === undefined ? undefined : Date.parse(expires) / 1000;
    });
    this.metrics.gauge('evidence_age_seconds', () =>
      this.#provedAt === undefined ? undefined : (performance.now() - this.#provedAt) / 1000,
    );
  }

  /** Counts one answered call, under the target of the function in force. */
  count(call: AnsweredCall): void {
    countCall(this.metrics, this.#inForce?.files.locked.target ?? 'none', call);
  }

  /** Files were read and are in force. */
  inForce(now: InForce): void {
    // what proved the code that was locked before proves nothing of the one that is now
    if (codeOf(this.#inForce) !== codeOf(now)) this.#provedAt = undefined;
    this.#inForce = now;
    this.#problem = undefined;
    const listen = now.files.section.metrics?.listen;
    if (listen !== this.#exposed?.listen) {
      this.#exposed?.end();
      this.#exposed =
        listen === undefined ? undefined : { listen, end: exposeMetrics(listen, this.metrics, this.#log) };
    }
    const { state } = now.files;
    if (state === this.#status?.state) return;
    void this.#status?.ended.then((end) => end());
    this.#status =
      state === undefined
        ? undefined
        : { state, ended: openStatusSocket(state, this.#type, () => this.#say(), this.#log) };
  }

  /** Nothing is in force any more; where the figures are shown stays. */
  outOfForce(): void {
    this.#inForce = undefined;
    this.#provedAt = undefined;
  }

  /** The files are not in order; what was in force stays. */
  problem(happened: string): void {
    this.#problem = happened;
  }

  /** Are calls answered? */
  serving(serving: boolean): void {
    this.#serving = serving;
  }

  /** An answer, or a look at the deployment, has proved the locked code just now. */
  proved(): void {
    this.#provedAt = performance.now();
  }

  async close(): Promise<void> {
    this.#exposed?.end();
    await (await this.#status?.ended)?.();
  }

  #say(): RoleStatus {
    const { files, proof } = this.#inForce ?? {};
    return {
      type: this.#type,
      pid: process.pid,
      ...(files === undefined
        ? {}
        : { function: files.functionName, target: files.locked.target, seq: files.seq }),
      ...(proof === undefined ? {} : { proof }),
      ...(files?.lockExpires === undefined ? {} : { lockExpires: files.lockExpires }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      samples: this.metrics
        .samples()
        .map((sample) => ({ ...sample, labels: { ...sample.labels } })) as RoleStatus['samples'],
    };
  }
}

/** The code that answers have to prove: where it is, and what of it the lock accepts. */
function codeOf(inForce: InForce | undefined): string {
  return JSON.stringify([inForce?.files.functionName, inForce?.files.locked]);
}
