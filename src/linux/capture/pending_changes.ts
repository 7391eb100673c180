/** Something that holds from some time on. */
export interface Change {
  /** Nanoseconds on the axis. */
  fromNs: number;
}

/** Changes that wait until what came before them has been handed on. */
export class PendingChanges<Waiting extends Change> {
  readonly #waiting: Waiting[] = [];
  /** When the first of them holds; Infinity where none waits. */
  nextNs = Infinity;

  /** Takes a change. */
  add(change: Waiting): void {
    this.#waiting.push(change);
    this.nextNs = Math.min(this.nextNs, change.fromNs);
  }

  /** Hands out the changes up to a time, in the order in which they were added, and keeps the others. */
  takeUntil(untilNs: number, onChange: (change: Waiting) => void): void {
    if (this.nextNs > untilNs) return;
    this.nextNs = Infinity;
    let kept = 0;
    for (const change of this.#waiting) {
      if (change.fromNs <= untilNs) onChange(change);
      else {
        this.#waiting[kept++] = change;
        this.nextNs = Math.min(this.nextNs, change.fromNs);
      }
    }
    this.#waiting.length = kept;
  }
}
