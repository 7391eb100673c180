import type { Handshake } from "../../match/handshake.ts";

/** Rates are of so many seconds. */
export const RATE_SECONDS = 10;
/** So long ago one may have begun that is reported now: a connect() gives up after 127 s. */
const RECENT_SECONDS = 180;

/**
 * In which second a handshake counts, and which second is under way. What is reported as it happens
 * counts when it is; what began long ago, as in a file, when it began, and then the last of it is now.
 */
export class TopClock {
  /** In which second the handshake counts that was placed last: whole seconds of Unix time. */
  second = 0;
  readonly #wallMs: () => number;
  #first = Infinity;
  #latest = -Infinity;
  #isLive = false;

  /** @param wallMs The time of day, milliseconds of Unix time. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Finds the second of a handshake that just came. */
  place({ epochSeconds, timeNs }: Handshake): void {
    const begun = epochSeconds + Math.floor(timeNs / 1e9);
    const wall = this.#wallSecond();
    const isRecent = begun > wall - RECENT_SECONDS;
    if (isRecent) this.#isLive = true;
    // A clock that is ahead would leave no place for what comes then.
    this.second = isRecent ? wall : begun;
    if (this.second < this.#first) this.#first = this.second;
    if (this.second > this.#latest) this.#latest = this.second;
  }

  /** Tells that handshakes are reported as they happen, though none came yet. */
  start(): void {
    this.#isLive = true;
    this.#first = Math.min(this.#first, this.#wallSecond());
  }

  /** Tells that nothing more comes: the time stands still. */
  stop(): void {
    this.#isLive = false;
  }

  /** Counts anew from now on. */
  restart(): void {
    this.#first = this.#isLive ? this.#wallSecond() : Infinity;
  }

  /** The second that is under way; 0 before anything came. */
  now(): number {
    if (this.#isLive) return this.#wallSecond();
    return this.#latest === -Infinity ? 0 : this.#latest + 1;
  }

  /** How many whole seconds a rate is of now: fewer only soon after the start. */
  rateSeconds(): number {
    return Math.min(Math.max(this.now() - this.#first, 1), RATE_SECONDS);
  }

  #wallSecond(): number {
    return Math.floor(this.#wallMs() / 1000);
  }
}
