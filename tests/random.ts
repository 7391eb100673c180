/**
 * Random numbers for tests, which a seed gives again.
 *
 * @module
 */

/** Random numbers by mulberry32. */
export class Random {
  #state: number;

  /** @param seed Whatever; by it the same numbers come again. */
  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to below a bound. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) % bound;
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** One of some. */
  pick<T>(some: readonly T[]): T {
    return some[this.below(some.length)];
  }

  /** True in so many of a hundred cases. */
  percent(cases: number): boolean {
    return this.below(100) < cases;
  }
}
