/** Counts the calls that are being answered, so that an orderly end can wait for them. */
export class InFlight {
  #count = 0;
  #closing = false;
  readonly #idle: (() => void)[] = [];

  /** True once {@link close} was called: new calls are refused. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Begins a call; the returned function, called once, ends it. */
  begin(): () => void {
    this.#count += 1;
    return () => {
      this.#count -= 1;
      if (this.#count === 0) for (const resolve of this.#idle.splice(0)) resolve();
    };
  }

  /** Lets no new call in, and resolves when the last one has ended. */
  close(): Promise<void> {
    this.#closing = true;
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}
