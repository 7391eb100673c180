/** A body that is made anew only when it is older than so long: the same bytes for all who ask meanwhile. */
export class Rendered {
  readonly #render: () => Uint8Array<ArrayBuffer>;
  readonly #maxAgeMs: number;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #madeMs = -Infinity;

  /** Makes nothing yet. */
  constructor(render: () => Uint8Array<ArrayBuffer>, maxAgeMs: number) {
    this.#render = render;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The body. @param nowMs Now, by a clock that never falls. */
  bytes(nowMs: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes === undefined || nowMs - this.#madeMs >= this.#maxAgeMs) {
      this.#bytes = this.#render();
      this.#madeMs = nowMs;
    }
    return this.#bytes;
  }
}

/** Lets so many pass a second, and as many at once after a second without any. */
export class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #askedMs = 0;

  /** Lets all pass that it lets pass at once. */
  constructor(perSecond: number) {
    this.#perSecond = this.#left = perSecond;
  }

  /** Whether one more may pass. @param nowMs Now, by a clock that never falls. */
  passes(nowMs: number): boolean {
    const came = (nowMs - this.#askedMs) / 1_000 * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + came);
    this.#askedMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
