const MINUTE_MS = 60_000;

/** Lets so many sentences through in a minute and counts the others. */
export class NoteBudget {
  readonly #perMinute: number;
  #endMs = -Infinity;
  #left = 0;
  #untold = 0;

  /** Begins a minute with the first sentence. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** @returns Whether a sentence may be told now, by any clock that only goes on; else it is counted. */
  take(nowMs: number): boolean {
    if (nowMs >= this.#endMs) {
      this.#endMs = nowMs + MINUTE_MS;
      this.#left = this.#perMinute;
    }
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    this.#untold++;
    return false;
  }

  /** @returns How many were not told, once the minute is over: each is counted once. */
  takeUntold(nowMs: number): number {
    if (nowMs < this.#endMs) return 0;
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }
}
