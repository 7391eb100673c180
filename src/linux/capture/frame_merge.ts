/** Frames waiting in a ring, oldest first. */
export interface FrameQueue {
  /** Whether there is one. */
  ready(): boolean;
  /** Whole seconds of Unix time at which the next one was captured. */
  readonly nextSeconds: number;
  /** Nanoseconds beyond them. */
  readonly nextNanoseconds: number;
}

/** A frame stamped so far ahead comes from before the clock was set back. */
const AHEAD_MAX_NS = 100_000_000;

/**
 * Takes frames from several rings in the order of their times: the matcher takes the first copy of a
 * packet for the one that counts, and rings hand over their blocks each at a time of its own.
 */
export class FrameMerge<Queue extends FrameQueue> {
  readonly #timeOf: (seconds: number, nanoseconds: number) => number;
  readonly #take: (queue: Queue) => void;
  // Those with a frame to take, and its time; kept, so that a drain allocates nothing.
  readonly #queues: Queue[] = [];
  readonly #times: number[] = [];

  /**
   * Takes nothing before {@link drain}.
   *
   * @param timeOf Places a time on the axis, nanoseconds. @param take Takes the next frame of a
   *   queue out of it.
   */
  constructor(
    timeOf: (seconds: number, nanoseconds: number) => number,
    take: (queue: Queue) => void,
  ) {
    this.#timeOf = timeOf;
    this.#take = take;
  }

  /**
   * Takes every frame that is ready, but leaves those after a time up to which every queue has
   * delivered: an older one may still come in another queue.
   *
   * @param queues Where to take from. @param deliveredNs That time on the axis. @param nowNs Now on
   *   the axis.
   */
  drain(queues: readonly Queue[], deliveredNs: number, nowNs: number): void {
    const maxNs = nowNs + AHEAD_MAX_NS;
    const pending = this.#queues;
    const times = this.#times;
    for (const queue of queues) {
      const timeNs = this.#next(queue, deliveredNs, maxNs);
      if (timeNs === Infinity) continue;
      pending.push(queue);
      times.push(timeNs);
    }
    while (pending.length > 0) {
      let first = 0;
      let secondNs = Infinity;
      for (let at = 1; at < times.length; at++) {
        if (times[at] < times[first]) {
          secondNs = times[first];
          first = at;
        } else if (times[at] < secondNs) {
          secondNs = times[at];
        }
      }
      const queue = pending[first];
      do {
        this.#take(queue);
        times[first] = this.#next(queue, deliveredNs, maxNs);
      } while (times[first] <= secondNs && times[first] !== Infinity);
      if (times[first] === Infinity) {
        pending.splice(first, 1);
        times.splice(first, 1);
      }
    }
  }

  /** @returns When the next frame was captured, Infinity where there is none to take. */
  #next(queue: Queue, deliveredNs: number, maxNs: number): number {
    if (!queue.ready()) return Infinity;
    const timeNs = this.#timeOf(queue.nextSeconds, queue.nextNanoseconds);
    return timeNs > deliveredNs && timeNs < maxNs ? Infinity : timeNs;
  }
}
