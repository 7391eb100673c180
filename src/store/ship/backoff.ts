/** The first wait of a {@linkcode Backoff} at most, and its longest, milliseconds. */
const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** How long to wait before the next try: twice as long each time, at random, so that a server that comes back is not asked by a whole fleet at once. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** @param random From 0 up to 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Tries that failed since the last that did not. */
  get failures(): number {
    return this.#failures;
  }

  /** A try failed. @returns How long to wait, milliseconds: between half of what this time allows and all of it. */
  next(): number {
    const mostMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return mostMs * (0.5 + this.#random() / 2);
  }

  /** A try did not fail. */
  reset(): void {
    this.#failures = 0;
  }
}
