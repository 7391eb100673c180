/**
 * The handshakes that are kept to be shown: the latest of some kind, and the slowest.
 *
 * @module
 */
import type { Handshake } from "../../match/handshake.ts";
import type { RecordContext } from "../../record/record_context.ts";

/** A handshake that is kept. */
export interface KeptHandshake<Packets = unknown> {
  /** Which one of all it was, 1 the first. */
  readonly number: number;
  /** In which second it counts, see `TopClock`. */
  readonly second: number;
  /** A copy. */
  readonly handshake: Handshake;
  /** What its record says beyond it. */
  readonly context: RecordContext;
  /** Its packets, as who keeps them knows them; undefined where none were kept. */
  readonly packets: Packets | undefined;
}

/** The last of what was put in, so many at most. */
export class Latest<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  #count = 0;

  /** @param capacity 1 or more. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Puts one in; the oldest makes room. */
  push(item: T): void {
    this.#items[this.#count++ % this.#capacity] = item;
  }

  /** The latest first. @param most How many at most. */
  list(most = Infinity): T[] {
    const length = Math.min(this.#items.length, most);
    return Array.from(
      { length },
      (_, at) => this.#items[(this.#count - 1 - at) % this.#capacity],
    );
  }
}

/** Those with the longest durations, so many at most. */
export class Slowest<T> {
  readonly #items: { item: T; ns: number }[] = [];
  readonly #capacity: number;

  /** @param capacity 1 or more. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether one that took so long would be taken. */
  takes(ns: number): boolean {
    return this.#items.length < this.#capacity || ns > this.#items[this.#items.length - 1].ns;
  }

  /** Takes one, if it is among them. @param ns How long it took. */
  offer(item: T, ns: number): void {
    if (!this.takes(ns)) return;
    const at = this.#items.findIndex((each) => each.ns < ns);
    this.#items.splice(at < 0 ? this.#items.length : at, 0, { item, ns });
    if (this.#items.length > this.#capacity) this.#items.pop();
  }

  /** The slowest first. @param most How many at most. */
  list(most = Infinity): T[] {
    return this.#items.slice(0, most).map(({ item }) => item);
  }
}
