import type { Segment } from "../wire/segment.ts";
import { COPY_MAX_NS } from "./keep_packet.ts";

/** Those that are remembered: in a tenth of a second there are few. */
const CAPACITY = 64;
/** Both addresses, both ports, both numbers. */
const WORDS = 11;
const ADDRESS = 4;

/**
 * The last SYN-ACKs whose numbers fitted no handshake under way between their ends, which therefore
 * completed nothing: a copy that another tap made may come when that handshake has ended, and must not seem
 * to begin one. The oldest is forgotten for the next.
 */
export class StrayAnswers {
  readonly #words = new Uint32Array(CAPACITY * WORDS);
  readonly #timeNs = new Float64Array(CAPACITY).fill(-Infinity);
  #next = 0;
  /** When the last one came. */
  #lastNs = -Infinity;

  /** Remembers one. */
  note(segment: Segment, timeNs: number): void {
    const at = this.#next * WORDS;
    const words = this.#words;
    words.set(segment.source, at);
    words.set(segment.destination, at + ADDRESS);
    words[at + 2 * ADDRESS] = portsOf(segment);
    words[at + 2 * ADDRESS + 1] = segment.sequence;
    words[at + 2 * ADDRESS + 2] = segment.acknowledgment;
    this.#timeNs[this.#next] = this.#lastNs = timeNs;
    this.#next = (this.#next + 1) % CAPACITY;
  }

  /** Whether it is one of them once more. */
  has(segment: Segment, timeNs: number): boolean {
    // Nearly always none came for long.
    if (Math.abs(timeNs - this.#lastNs) > COPY_MAX_NS) return false;
    for (let place = 0; place < CAPACITY; place++) {
      if (Math.abs(timeNs - this.#timeNs[place]) > COPY_MAX_NS) continue;
      if (this.#isOf(place * WORDS, segment)) return true;
    }
    return false;
  }

  /** Moves the times of all. */
  shiftTimes(ns: number): void {
    this.#lastNs += ns;
    for (let place = 0; place < CAPACITY; place++) this.#timeNs[place] += ns;
  }

  #isOf(at: number, segment: Segment): boolean {
    const words = this.#words;
    const isSame = words[at + 2 * ADDRESS] === portsOf(segment) &&
      words[at + 2 * ADDRESS + 1] === segment.sequence &&
      words[at + 2 * ADDRESS + 2] === segment.acknowledgment;
    return isSame && segment.source.every((word, index) => word === words[at + index]) &&
      segment.destination.every((word, index) => word === words[at + ADDRESS + index]);
  }
}

function portsOf({ sourcePort, destinationPort }: Segment): number {
  return (sourcePort << 16 | destinationPort) >>> 0;
}
