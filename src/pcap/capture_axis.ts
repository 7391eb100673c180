/**
 * The axis that the times of capture files are placed on, and the scales of pcapng that lead to it.
 *
 * @module
 */

const SECOND_NS = 1_000_000_000n;
const HALF = 4_294_967_296;
/** Differences up to here are exact as a Number, also after adding the low half. */
const EXACT_MAX = 2 ** 52;
/** Nanoseconds up to here are exact, with a margin: 100 days. */
const EXACT_NS = 100 * 86_400e9;
/** Powers of ten that fit in a nanosecond, and beyond it those whose difference is worth a Number. */
const DECIMALS_NS = 9;
const DECIMALS_MAX = 12;
/** 9999-12-31T23:59:59Z, the last moment that RFC 3339 can write. */
const UNIX_SECONDS_MAX = 253_402_300_799n;

/** From here on nanoseconds are soon inexact: 100 days. */
const FAR_SECONDS = 100 * 86_400;

/**
 * Nanoseconds since a whole second of Unix time that the first packet chooses: exact within 104 days
 * of it (2^53 ns), within 256 ns for any later time, unless the axis moves there. Several files share
 * one axis.
 */
export class CaptureAxis {
  /** Whole seconds of Unix time at which the axis begins; undefined before the first packet. */
  epochSeconds: number | undefined;
  /**
   * Asked before a packet far from the begin is placed: whether the axis may begin at its second. Who
   * says so has moved all times that it keeps, by the seconds given; negative back.
   */
  onFar: (bySeconds: number) => boolean = () => false;

  /**
   * The epoch, which is chosen where that did not happen yet.
   *
   * @param seconds Whole seconds of Unix time of the packet at hand.
   */
  epochFor(seconds: number): number {
    this.epochSeconds ??= seconds;
    return this.epochSeconds;
  }

  /**
   * The epoch for a packet, which moves near to it where it may.
   *
   * @param seconds Whole seconds of Unix time of the packet at hand.
   */
  epochNear(seconds: number): number {
    const epoch = this.epochFor(seconds);
    if (!this.isFar(seconds) || !this.onFar(seconds - epoch)) return epoch;
    return this.epochSeconds = seconds;
  }

  /** Whether times at a second may be inexact. */
  isFar(seconds: number): boolean {
    return Math.abs(seconds - (this.epochSeconds ?? seconds)) > FAR_SECONDS;
  }
}

/**
 * Places 64-bit timestamps of one pcapng interface on an axis, exact to the nanosecond (what is finer
 * is cut off). Allocates nothing for the resolutions in use, 10^-0 to 10^-12 s.
 */
export class TimeScale {
  readonly #axis: CaptureAxis;
  readonly #ticksPerSecond: bigint;
  readonly #offsetSeconds: bigint;
  readonly #decimals: number;
  readonly #factor: number;
  // The tick that the difference is taken to, and its time.
  #baseHigh = 0;
  #baseLow = 0;
  #baseNs = NaN;
  /** That of the axis when the base was taken. */
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
   * @returns Nanoseconds on the axis, or NaN for a time before 1970 or after the year 9999.
   */
  place(high: number, low: number): number {
    if (this.#decimals < 0) return this.#placeExactly(high, low);
    const ticks = (high - this.#baseHigh) * HALF + (low - this.#baseLow);
    const isBased = Math.abs(ticks) < EXACT_MAX && this.#epochSeconds === this.#axis.epochSeconds;
    if (!isBased && !this.#rebase(high, low)) return NaN;
    const ns = this.#baseNs + this.#beyondBase(high, low);
    // Once more where the axis may move there; where it may not the time is as exact as it can be.
    if (Math.abs(ns) < EXACT_NS || !this.#rebase(high, low)) return ns;
    return this.#baseNs + this.#beyondBase(high, low);
  }

  /** Nanoseconds behind the base. */
  #beyondBase(high: number, low: number): number {
    const ticks = (high - this.#baseHigh) * HALF + (low - this.#baseLow);
    return this.#decimals <= DECIMALS_NS ? ticks * this.#factor : Math.floor(ticks / this.#factor);
  }

  /** Moves the base to the timestamp's own second, so that a difference to it is exact again. */
  #rebase(high: number, low: number): boolean {
    const ticks = BigInt(high) * BigInt(HALF) + BigInt(low);
    const second = ticks / this.#ticksPerSecond;
    const seconds = second + this.#offsetSeconds;
    if (seconds < 0n || seconds > UNIX_SECONDS_MAX) {
      this.#epochSeconds = NaN;
      return false;
    }
    const base = second * this.#ticksPerSecond;
    this.#baseHigh = Number(base >> 32n);
    this.#baseLow = Number(base & 0xffffffffn);
    const epochSeconds = this.#axis.epochNear(Number(seconds));
    this.#epochSeconds = epochSeconds;
    this.#baseNs = (Number(seconds) - epochSeconds) * 1e9;
    return true;
  }

  #placeExactly(high: number, low: number): number {
    const ticks = BigInt(high) * BigInt(HALF) + BigInt(low);
    const ns = ticks * SECOND_NS / this.#ticksPerSecond;
    const seconds = ns / SECOND_NS + this.#offsetSeconds;
    if (seconds < 0n || seconds > UNIX_SECONDS_MAX) return NaN;
    const epoch = this.#axis.epochNear(Number(seconds));
    return (Number(seconds) - epoch) * 1e9 + Number(ns % SECOND_NS);
  }
}
