/** Farthest a function's clock may pull ours: beyond it, somebody's clock is broken and a person must look. */
const maxCorrectionS = 300;
/** How often a difference of the clocks is worth a line, in ms. */
const reportEveryMs = 60_000;

/**
 * The time as one function sees it. A function that refuses a request for its time says its own time in a signed
 * answer; requests to it are then dated by its clock (docs/architecture.md, "Time").
 */
export class FunctionClock {
  /** Seconds to add to our clock for this function; 0 until it refused a request for its time. */
  #offsetS = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  /** Now in whole seconds since the epoch, as the function counts them. */
  nowS(): number {
    return Math.floor(Date.now() / 1000) + this.#offsetS;
  }

  /** How far (s) an answer dated `createdS` is from our own clock; positive when the function is ahead. */
  skewS(createdS: number): number {
    return createdS - Math.floor(Date.now() / 1000);
  }

  /** Takes over the function's clock; false when it is more than five minutes away and nothing changed. */
  correct(createdS: number): boolean {
    const offsetS = this.skewS(createdS);
    if (Math.abs(offsetS) > maxCorrectionS) return false;
    this.#offsetS = offsetS;
    return true;
  }

  /** May a difference be reported? Once a minute: every answer shows it. */
  reportDue(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#reportedAtMs < reportEveryMs) return false;
    this.#reportedAtMs = nowMs;
    return true;
  }
}
