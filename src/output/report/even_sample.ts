/** The last bit by which some are chosen. */
const CHOICE_END = 1 << 30;

interface Sampled<T> {
  readonly number: number;
  readonly thing: T;
}

/**
 * Keeps things by name in bounded memory. Where there are too many, each second one is left out, the same
 * ones whoever tells them.
 */
export class EvenSample<T> {
  readonly #things = new Map<string, Sampled<T>>();
  /** Of those whose number has one of these bits nothing is kept. */
  #leftOut = 0;

  /** @param max How many are kept. */
  constructor(readonly max: number) {}

  /** How many are kept. */
  get size(): number {
    return this.#things.size;
  }

  /** Whether what has a number is left out; numbers are of 32 bits, and spread as by {@link spread}. */
  leavesOut(number: number): boolean {
    return (number & this.#leftOut) !== 0;
  }

  /** What is kept under a name. */
  get(name: string): T | undefined {
    return this.#things.get(name)?.thing;
  }

  /** Keeps a thing that is not left out. @param number What that goes by. */
  set(name: string, number: number, thing: T): void {
    this.#things.set(name, { number, thing });
    if (this.#things.size > this.max) this.#thin();
  }

  /** All that are kept, in the order in which they came. */
  *values(): Generator<T> {
    for (const { thing } of this.#things.values()) yield thing;
  }

  #thin(): void {
    while (this.#things.size > this.max / 2 && this.#leftOut < CHOICE_END) {
      this.#leftOut = this.#leftOut << 1 | 1;
      for (const [name, { number }] of this.#things) {
        if (this.leavesOut(number)) this.#things.delete(name);
      }
    }
    // Who chose them so that all fall together loses what was kept.
    if (this.#things.size > this.max) this.#things.clear();
  }
}

/** Spreads a number of 32 bits (the end of MurmurHash3, Austin Appleby, public domain). */
export function spread(number: number): number {
  let mixed = Math.imul(number ^ number >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return (mixed ^ mixed >>> 16) >>> 0;
}
