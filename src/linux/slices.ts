/** How long work goes on before the event loop gets its turn, where a step of it takes 5 ms at most. */
const SLICE_MS = 5;

/** Cuts long work into slices, between which timers run: nothing waits for more than 10 ms. */
export class Slices {
  readonly #nowMs: () => number;
  #endMs: number;

  /** @param nowMs Any clock that only goes on. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#endMs = nowMs() + SLICE_MS;
  }

  /** Gives the event loop its turn where the slice is over. */
  async rest(): Promise<void> {
    if (this.#nowMs() < this.#endMs) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#endMs = this.#nowMs() + SLICE_MS;
  }
}
