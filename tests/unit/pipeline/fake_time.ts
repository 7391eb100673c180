/** Stands in for `performance.now()`, as long as it is not restored. */
export class FakeTime {
  #nowMs = 0;
  readonly #now = performance.now;

  /** Time stands still from now on. */
  constructor() {
    performance.now = () => this.#nowMs;
  }

  /** Lets so many milliseconds pass. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  /** Time goes on by itself again. */
  restore(): void {
    performance.now = this.#now;
  }
}
