/** How many of the latest seconds are remembered one by one. */
export const HISTORY_SECONDS = 60;
/** Places for them: those, and the second that is under way. */
const PLACES = 64;
/** Numbers of a place: all handshakes, and those that failed. */
const STRIDE = 2;

/** Handshakes of some seconds. */
export interface Count {
  handshakes: number;
  /** Those of them that were not established. */
  failed: number;
}

/** Counts handshakes by the second in which they count, as long as that is not too long ago. */
export class SecondCounts {
  /** Undefined as long as there is one second alone: most names of a scan come once. */
  #counts: number[] | undefined;
  #latest = -Infinity;
  #handshakes = 0;
  #failed = 0;

  /** Counts one. @param second Whole seconds of Unix time. */
  record(second: number, isFailed: boolean): void {
    if (this.#counts === undefined) {
      if (this.#latest === -Infinity) this.#latest = second;
      if (second === this.#latest) {
        this.#handshakes++;
        if (isFailed) this.#failed++;
        return;
      }
      this.#spread();
    }
    if (second > this.#latest) this.#advance(second);
    else if (second <= this.#latest - PLACES) return;
    const counts = this.#counts!;
    const at = placeOf(second);
    counts[at]++;
    if (isFailed) counts[at + 1]++;
  }

  #spread(): void {
    this.#counts = new Array(PLACES * STRIDE).fill(0);
    const at = placeOf(this.#latest);
    this.#counts[at] = this.#handshakes;
    this.#counts[at + 1] = this.#failed;
  }

  #advance(second: number): void {
    const counts = this.#counts!;
    const first = Math.max(this.#latest + 1, second - PLACES + 1);
    for (let each = first; each <= second; each++) {
      const at = placeOf(each);
      counts[at] = counts[at + 1] = 0;
    }
    this.#latest = second;
  }

  /** Counts those of the seconds from one to before another, {@link HISTORY_SECONDS} of them at most. */
  sum(from: number, to: number): Count {
    const sum = { handshakes: 0, failed: 0 };
    const counts = this.#counts;
    if (counts === undefined) {
      const isThere = from <= this.#latest && this.#latest < to;
      return isThere ? { handshakes: this.#handshakes, failed: this.#failed } : sum;
    }
    for (let second = from; second < to; second++) {
      if (second > this.#latest || second <= this.#latest - PLACES) continue;
      const at = placeOf(second);
      sum.handshakes += counts[at];
      sum.failed += counts[at + 1];
    }
    return sum;
  }

  /** Each of the {@link HISTORY_SECONDS} before the second that is under way, the oldest first. */
  history(now: number): Count[] {
    return Array.from({ length: HISTORY_SECONDS }, (_, at) => {
      const second = now - HISTORY_SECONDS + at;
      return this.sum(second, second + 1);
    });
  }
}

function placeOf(second: number): number {
  return ((second % PLACES + PLACES) % PLACES) * STRIDE;
}
