/**
 * The axis that the times of capture files are placed on, and the scales of pcapng that lead to it.
 *
 * @module
 */

const SECOND_NS = 1_000_000_000n;
const HALF = 4_294_967_296;
/** Differences up to here are exact as a Number, also after adding the low half. */
const EXACT_MAX = 2 ** 52;
/** A little below 2^53 ns. */
const FAR_SECONDS = 9_000_000;
/** Powers of ten that fit in a nanosecond, and beyond it those whose difference is worth a Number. */
const DECIMALS_NS = 9;
const DECIMALS_MAX = 12;
/** 9999-12-31T23:59:59Z, the last moment that RFC 3339 can write. */
const UNIX_SECONDS_MAX = 253_402_300_799n;

/**
 * Nanoseconds since a whole second of Unix time that the first packet chooses: exact within 104 days
 * of it (2^53 ns). A time farther away has no place on the axis, until the axis is moved there. Several
 * files share one axis.
 */
export class CaptureAxis {
  /**
   * Whole seconds of Unix time at which the axis begins; NaN before the first packet. NaN makes it a
   * double to the engine, and so all that is reckoned from it: as small integers those would cost what was
   * compiled when they grow beyond 2^31, which is 8 % of the processor time of 120 MB.
   */
  epochSeconds = NaN;

  /** Whether a whole second of Unix time is too far from the epoch for its nanoseconds to be exact. */
  isFar(seconds: number): boolean {
    return Math.abs(seconds - this.epochFor(seconds)) > FAR_SECONDS;
  }

  /**
   * Places a time.
   *
   * @param seconds Whole seconds of Unix time. @param ns Nanoseconds to be added.
   * @returns Nanoseconds on the axis; Infinity for a time that is too far from it.
   */
  place(seconds: number, ns: number): number {
    const sinceSeconds = seconds - this.epochSeconds;
    // Every packet comes here: nothing else is asked of one that is near.
    if (Math.abs(sinceSeconds) <= FAR_SECONDS) return sinceSeconds * 1e9 + ns;
    if (!Number.isNaN(this.epochSeconds)) return Infinity;
    this.epochSeconds = seconds;
    return ns;
  }

  /**
   * The epoch, which is chosen where that did not happen yet.
   *
   * @param seconds Whole seconds of Unix time of the packet at hand.
   */
  epochFor(seconds: number): number {
    if (Number.isNaN(this.epochSeconds)) this.epochSeconds = seconds;
    return this.epochSeconds;
  }
}

/**
 * Places 64-bit timestamps of one pcapng interface on an axis, exact to the nanosecond (what is finer
 * is cut off). Allocates nothing for the resolutions in use, 10^-0 to 10^-12 s.
 */
export class TimeScale {
  /** Of the last time that was too far away for the axis: its whole second of Unix time, and the rest. */
  farSeconds = 0;
  farNs = 0;
  readonly #axis: CaptureAxis;
  readonly #ticksPerSecond: bigint;
  readonly #offsetSeconds: bigint;
  readonly #decimals: number;
  readonly #factor: number;
  // The tick that the difference is taken to, and its time.
  #baseHigh = 0;
  #baseLow = 0;
  #baseNs = NaN;
  #baseSeconds = 0;
  /** Where the axis began when that was placed. */
  #epochSeconds = NaN;

  /**
   * Makes the scale of an interface.
   *
   * @param axis The axis.
   * @param resolution Value of `if_tsresol`: 10^-n seconds a tick, or with the highest bit 2^-n.
   * @param offsetSeconds Value of `if_tsoffset`: seconds to add to each time.
   */
  constructor(axis: CaptureAxis, resolution: number, offsetSeconds: bigint) {
    this.#axis = axis;
    const exponent = resolution & 0x7f;
    const decimal = resolution < 0x80;
    this.#ticksPerSecond = BigInt(decimal ? 10 : 2) ** BigInt(exponent);
    this.#offsetSeconds = offsetSeconds;
    this.#decimals = decimal && exponent <= DECIMALS_MAX ? exponent : -1;
    this.#factor = 10 ** Math.abs(DECIMALS_NS - exponent);
  }

  /**
   * Places a timestamp.
   *
   * @param high Its upper 32 bits. @param low Its lower 32 bits.
   * @returns Nanoseconds on the axis; NaN for a time before 1970 or after the year 9999; Infinity for
   * one too far from the axis, which is then in `farSeconds` and `farNs`.
   */
  place(high: number, low: number): number {
    if (this.#decimals < 0) return this.#placeExactly(high, low);
    let ticks = (high - this.#baseHigh) * HALF + (low - this.#baseLow);
    const isBased = Math.abs(ticks) < EXACT_MAX && !Number.isNaN(this.#baseNs) &&
      this.#epochSeconds === this.#axis.epochSeconds;
    if (!isBased) {
      if (!this.#rebase(high, low)) return NaN;
      ticks = (high - this.#baseHigh) * HALF + (low - this.#baseLow);
    }
    const ns = this.#baseNs + this.#nanoseconds(ticks);
    return Math.abs(ns) <= FAR_SECONDS * 1e9 ? ns : this.#placeFar(high, low);
  }

  #nanoseconds(ticks: number): number {
    return this.#decimals <= DECIMALS_NS ? ticks * this.#factor : Math.floor(ticks / this.#factor);
  }

  #placeFar(high: number, low: number): number {
    // With the base at its own second what remains is exact.
    this.#rebase(high, low);
    this.farNs = this.#nanoseconds((high - this.#baseHigh) * HALF + (low - this.#baseLow));
    this.farSeconds = this.#baseSeconds;
    return Infinity;
  }

  /** Moves the base to the timestamp's own second, so that a difference to it is exact again. */
  #rebase(high: number, low: number): boolean {
    const ticks = BigInt(high) * BigInt(HALF) + BigInt(low);
    const second = ticks / this.#ticksPerSecond;
    const seconds = second + this.#offsetSeconds;
    if (seconds < 0n || seconds > UNIX_SECONDS_MAX) {
      this.#baseNs = NaN;
      return false;
    }
    const base = second * this.#ticksPerSecond;
    this.#baseHigh = Number(base >> 32n);
    this.#baseLow = Number(base & 0xffffffffn);
    this.#epochSeconds = this.#axis.epochFor(Number(seconds));
    this.#baseSeconds = Number(seconds);
    this.#baseNs = (this.#baseSeconds - this.#epochSeconds) * 1e9;
    return true;
  }

  #placeExactly(high: number, low: number): number {
    const ticks = BigInt(high) * BigInt(HALF) + BigInt(low);
    const ns = ticks * SECOND_NS / this.#ticksPerSecond;
    const seconds = ns / SECOND_NS + this.#offsetSeconds;
    if (seconds < 0n || seconds > UNIX_SECONDS_MAX) return NaN;
    this.farSeconds = Number(seconds);
    this.farNs = Number(ns % SECOND_NS);
    return this.#axis.place(this.farSeconds, this.farNs);
  }
}
