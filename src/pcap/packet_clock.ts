/**
 * Follows the times of a capture, which need not be in order.
 *
 * @module
 */
import type { CapturedPacket } from "./captured_packet.ts";
import { INTERFACE_COUNT_MAX } from "./limits.ts";
import { beginsHandshake } from "./pcapng_option.ts";

/**
 * How far behind the newest packet an older one may come: programs that capture on several interfaces
 * write what each has gathered, about once a second.
 */
export const DISORDER_MAX_NS = 1e9;

/**
 * How far behind the newest packet an older one may stand and still be put in its place: what several queues
 * and processors of one host hand on is apart by microseconds, seldom by a few milliseconds.
 */
export const ORDERED_NS = 10e6;
/**
 * The same as long as every packet stands in order. Holding each for ten milliseconds made `read` of short
 * connections take a tenth more of the processor's time (eight interleaved runs each).
 */
export const ORDERED_USUAL_NS = 200e3;

/** Longer than a capture is usually without a packet: what comes then may carry a wrong time. */
const LEAP_NS = 60e9;

/** Steps of the clock that are followed; a file with more is not a capture that anything can be told of. */
const STEPS_MAX = 1_000;

/**
 * Knows the newest time of a capture file, counts packets that stand behind newer ones, and tells when the
 * capturing host's clock was set back. Between interfaces packets may be out of order; on one interface a
 * jump back of more than {@linkcode DISORDER_MAX_NS} is the clock. In a file that synsnoop wrote each
 * handshake goes back to its own start, which is neither.
 */
export class PacketClock {
  /** Newest time, nanoseconds on the axis; -Infinity before the first packet. */
  newestNs: number = -Infinity;
  /** Packets older than one before them in the file. */
  behind = 0;
  /** Those of them that are older by more than {@linkcode ORDERED_NS}. */
  disordered = 0;
  /** Steps back of the clock. */
  steps = 0;
  /** Newest time since the start of the handshake that stands together; else {@link newestNs}. */
  #newestTogetherNs = -Infinity;
  readonly #newestOf = new Float64Array(INTERFACE_COUNT_MAX).fill(-Infinity);

  /** Begins with another file, whose times need not go on from the last one's. */
  reset(): void {
    this.newestNs = -Infinity;
    this.#forget();
  }

  /**
   * Whether a packet's time is so far from those before it that the next packet must tell whether the
   * time of the capture is there, or this one carries a wrong time.
   */
  isLeap(packet: CapturedPacket): boolean {
    const { timeNs, timed } = packet;
    if (!timed || this.newestNs === -Infinity) return false;
    const isFar = timeNs - this.newestNs > LEAP_NS;
    const isBack = this.#newestOf[packet.interface.number] - timeNs > DISORDER_MAX_NS &&
      this.steps < STEPS_MAX;
    return (isFar || isBack) && !beginsHandshake(packet);
  }

  /** Lets go of what later packets are compared with. */
  #forget(): void {
    this.#newestTogetherNs = -Infinity;
    this.#newestOf.fill(-Infinity);
  }

  /** Takes the time of a packet if it is in order, as nearly every one is. @returns Whether it is. */
  isNext(packet: CapturedPacket): boolean {
    if (!packet.timed || packet.timeNs < this.newestNs) return false;
    const { timeNs } = packet;
    this.newestNs = this.#newestTogetherNs = this.#newestOf[packet.interface.number] = timeNs;
    return true;
  }

  /**
   * Takes the time of any packet.
   *
   * @returns By how many nanoseconds the clock was set back, negative, or 0.
   */
  see(packet: CapturedPacket): number {
    if (!packet.timed) return 0;
    const { timeNs } = packet;
    if (timeNs < this.#newestTogetherNs && beginsHandshake(packet)) this.#forget();
    const place = packet.interface.number;
    if (this.isNext(packet)) return 0;
    const newestHere = this.#newestOf[place];
    if (timeNs >= newestHere) {
      this.#newestOf[place] = timeNs;
      if (timeNs >= this.#newestTogetherNs) this.#newestTogetherNs = timeNs;
      else this.#countBehind(timeNs);
      return 0;
    }
    if (newestHere - timeNs > DISORDER_MAX_NS && this.steps < STEPS_MAX) {
      this.steps++;
      const jumpNs = timeNs - this.#newestTogetherNs;
      this.#forget();
      this.newestNs = this.#newestTogetherNs = this.#newestOf[place] = timeNs;
      return jumpNs;
    }
    this.#countBehind(timeNs);
    return 0;
  }

  #countBehind(timeNs: number): void {
    this.behind++;
    if (this.#newestTogetherNs - timeNs > ORDERED_NS) this.disordered++;
  }
}
