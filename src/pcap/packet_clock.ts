/**
 * Follows the times of a capture, which need not be in order.
 *
 * @module
 */
import type { CapturedPacket } from "./captured_packet.ts";
import { INTERFACE_COUNT_MAX } from "./limits.ts";
import { beginsHandshake, beginsMistimed } from "./pcapng_option.ts";

/**
 * How far behind the newest packet an older one may come: programs that capture on several interfaces
 * write what each has gathered, about once a second.
 */
export const DISORDER_MAX_NS = 1e9;

/** No capture waits that long for its next packet: the clock was set forward, or one packet's time is wrong. */
export const WAIT_MAX_NS = 365 * 86_400e9;

/** Steps of the clock that are followed; a file with more is not a capture that anything can be told of. */
const STEPS_MAX = 1_000;

/**
 * Knows the newest time of a capture file, counts packets that are older than one before them, and
 * tells when the capturing host's clock was set back. Between interfaces packets may be out of order;
 * on one interface a jump back of more than {@linkcode DISORDER_MAX_NS} is the clock, and so is one
 * forward by a year. In a file that synsnoop wrote each handshake goes to its own begin, which is neither;
 * only one across which the clock was set is followed there as it was then.
 */
export class PacketClock {
  /** Newest time, nanoseconds on the axis; -Infinity before the first packet. */
  newestNs: number = -Infinity;
  /** Packets older than one before them in the file. */
  disordered = 0;
  /** Steps back of the clock. */
  steps = 0;
  /** Newest time since the begin of the handshake that stands together; else {@link newestNs}. */
  #newestTogetherNs = -Infinity;
  readonly #newestOf = new Float64Array(INTERFACE_COUNT_MAX).fill(-Infinity);

  /** Begins with another file, whose times need not go on from the last one's. */
  reset(): void {
    this.newestNs = -Infinity;
    this.#forget();
  }

  /** Moves all times, as the axis moves by so many nanoseconds. */
  moveAxis(byNs: number): void {
    this.newestNs -= byNs;
    this.#newestTogetherNs -= byNs;
    for (const index of this.#newestOf.keys()) this.#newestOf[index] -= byNs;
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
   * @returns By how many nanoseconds the clock was set, negative back, or 0.
   */
  see(packet: CapturedPacket): number {
    if (!packet.timed) return 0;
    const { timeNs } = packet;
    const place = packet.interface.number;
    const isBack = timeNs < this.#newestTogetherNs;
    const isFarOn = timeNs - this.newestNs > WAIT_MAX_NS && this.newestNs > -Infinity;
    if ((isBack || isFarOn) && beginsHandshake(packet)) {
      this.#forget();
      if (this.newestNs - timeNs > DISORDER_MAX_NS && beginsMistimed(packet)) {
        return this.#jump(packet, timeNs - this.newestNs);
      }
    } else if (isFarOn && this.steps < STEPS_MAX) {
      return this.#jump(packet, timeNs - this.newestNs);
    }
    if (this.isNext(packet)) return 0;
    const newestHere = this.#newestOf[place];
    if (timeNs >= newestHere) {
      this.#newestOf[place] = timeNs;
      if (timeNs >= this.#newestTogetherNs) this.#newestTogetherNs = timeNs;
      else this.disordered++;
      return 0;
    }
    if (newestHere - timeNs > DISORDER_MAX_NS && this.steps < STEPS_MAX) {
      this.steps++;
      return this.#jump(packet, timeNs - this.#newestTogetherNs);
    }
    this.disordered++;
    return 0;
  }

  /** Goes on from a packet's time. @returns The jump. */
  #jump({ timeNs, interface: place }: CapturedPacket, jumpNs: number): number {
    this.#forget();
    this.newestNs = this.#newestTogetherNs = this.#newestOf[place.number] = timeNs;
    return jumpNs;
  }
}
