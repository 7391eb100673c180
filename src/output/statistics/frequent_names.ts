/** What is kept of a name. */
export interface Weighed {
  /** What keeps it here: how often it came, less what was taken from all names for new ones. */
  weight: number;
}

/**
 * Keeps what comes often, by name, in bounded memory: everything for up to so many names. When there are
 * more, half of them at least make room for new ones, those that came least (Misra and Gries, "Finding
 * repeated elements", 1982, in batches). A name of more than one in half as many of all that comes is
 * never missing in the end.
 */
export class FrequentNames<Name, Kept extends Weighed> {
  readonly #kept = new Map<Name, Kept>();
  /** How often at most a name can have come that is not here, or before it was. */
  missedMax = 0;

  /**
   * @param namesMax Names kept at a time, 2 or more. @param onForget Given what was kept of a name that made room.
   */
  constructor(readonly namesMax: number, readonly onForget?: (kept: Kept) => void) {}

  /** Names kept now. */
  get size(): number {
    return this.#kept.size;
  }

  /** What is kept, in the order in which it came. */
  values(): Iterable<Kept> {
    return this.#kept.values();
  }

  /** What is kept of a name; undefined where it is not here. */
  get(name: Name): Kept | undefined {
    return this.#kept.get(name);
  }

  /**
   * Takes a name that came.
   *
   * @param make Makes what is kept of a name that is not here, of no weight yet.
   */
  take(name: Name, make: (name: Name, missedMax: number) => Kept): Kept {
    let kept = this.#kept.get(name);
    if (kept === undefined) {
      if (this.#kept.size >= this.namesMax) this.#makeRoom();
      kept = make(name, this.missedMax);
      this.#kept.set(name, kept);
    }
    kept.weight++;
    return kept;
  }

  /** Keeps a name no longer. */
  delete(name: Name): void {
    this.#kept.delete(name);
  }

  #makeRoom(): void {
    const weights = Float64Array.from(this.#kept.values(), ({ weight }) => weight).sort();
    const median = weights[weights.length >>> 1];
    for (const [name, kept] of this.#kept) {
      kept.weight -= median;
      if (kept.weight > 0) continue;
      this.#kept.delete(name);
      this.onForget?.(kept);
    }
    this.missedMax += median;
  }
}
