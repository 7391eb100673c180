/**
 * The last packets of handshakes under way, kept until it is known what became of the handshake.
 *
 * @module
 */

import type { AssembledPacket } from "../wire/fragment_assembler.ts";
import { LinkType } from "../wire/frame.ts";
import type { CapturedPacket } from "./captured_packet.ts";
import { directionOf } from "./pcapng_option.ts";

/** Bytes of a packet that are kept: link layer, tunnels, IP, TCP and their options. */
export const KEPT_LENGTH_MAX = 256;

/** A packet to keep, or one that was kept. */
export interface KeptPacket {
  /** Holds its bytes from `start` to `end`. */
  view: DataView<ArrayBuffer>;
  /** Offset of the first byte. */
  start: number;
  /** Offset behind the last byte that was captured, or kept. */
  end: number;
  /** Bytes of the packet before the capture cut it. */
  originalLength: number;
  /** LINKTYPE of its first header. */
  linkType: number;
  /** When it was captured, nanoseconds on the axis. */
  timeNs: number;
  /** The number of the place where it was captured. */
  place: number;
  /** Where it went, see `Direction`. */
  direction: number;
}

/**
 * Copies what is kept of a packet, which then outlives the buffer that it lies in.
 *
 * @param place The number of its place. @param whole Where it was put together of fragments.
 */
export function copyToKeep(
  packet: CapturedPacket,
  place: number,
  whole?: AssembledPacket,
): KeptPacket {
  const [start, captured] = whole === undefined
    ? [packet.start, packet.end - packet.start]
    : [0, whole.capturedLength];
  const { view, originalLength, timeNs } = whole ?? packet;
  const end = Math.min(captured, KEPT_LENGTH_MAX);
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end).slice();
  return {
    view: new DataView(bytes.buffer),
    start: 0,
    end,
    originalLength,
    linkType: whole === undefined ? packet.interface.linkType : LinkType.RAW,
    timeNs,
    place,
    direction: directionOf(packet),
  };
}

const NONE = -1;

/**
 * A ring of packets, each linked to the one before it of the same handshake: memory is fixed, and when
 * the ring comes round, the oldest packets are overwritten, whatever handshake they belong to.
 *
 * Handshakes are told apart by their rows in the matcher's table, which gives them out again: see
 * `RowKeeper`.
 */
export class KeptPackets {
  readonly #capacity: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #lengths: Uint16Array;
  readonly #originalLengths: Uint32Array;
  readonly #linkTypes: Uint16Array;
  readonly #times: Float64Array;
  readonly #places: Uint32Array;
  readonly #directions: Uint8Array;
  /** Number of the packet before it in the same row; packets are numbered from 0 on. */
  readonly #previous: Float64Array;
  /** Number of the last packet of each row. */
  readonly #lastOf: Float64Array;
  #count = 0;

  /**
   * Reserves the memory, about 290 bytes a packet.
   *
   * @param rows Rows of the matcher's table. @param capacity Packets kept at most.
   */
  constructor(rows: number, capacity: number) {
    this.#capacity = capacity;
    this.#bytes = new Uint8Array(capacity * KEPT_LENGTH_MAX);
    this.#view = new DataView(this.#bytes.buffer);
    this.#lengths = new Uint16Array(capacity);
    this.#originalLengths = new Uint32Array(capacity);
    this.#linkTypes = new Uint16Array(capacity);
    this.#times = new Float64Array(capacity);
    this.#places = new Uint32Array(capacity);
    this.#directions = new Uint8Array(capacity);
    this.#previous = new Float64Array(capacity);
    this.#lastOf = new Float64Array(rows).fill(NONE);
  }

  /** Begins a handshake in a row, without packets. */
  begin(row: number): void {
    this.#lastOf[row] = NONE;
  }

  /** Gives the packets of a row to another's handshake. */
  join(row: number, into: number): void {
    const numbers = [...this.#numbersOf(row), ...this.#numbersOf(into)].sort((a, b) => b - a);
    this.#lastOf[row] = NONE;
    this.#lastOf[into] = numbers[0] ?? NONE;
    numbers.forEach((number, index) => {
      this.#previous[number % this.#capacity] = numbers[index + 1] ?? NONE;
    });
  }

  /** Copies a packet of a row's handshake, at most {@link KEPT_LENGTH_MAX} bytes of it. */
  keep(row: number, packet: KeptPacket): void {
    const { view, start, end } = packet;
    const slot = this.#count % this.#capacity;
    const length = Math.min(end - start, KEPT_LENGTH_MAX);
    const from = view.byteOffset + start;
    this.#bytes.set(new Uint8Array(view.buffer, from, length), slot * KEPT_LENGTH_MAX);
    this.#lengths[slot] = length;
    this.#originalLengths[slot] = packet.originalLength;
    this.#linkTypes[slot] = packet.linkType;
    this.#times[slot] = packet.timeNs;
    this.#places[slot] = packet.place;
    this.#directions[slot] = packet.direction;
    this.#previous[slot] = this.#lastOf[row];
    this.#lastOf[row] = this.#count++;
  }

  /**
   * The packets of a row's handshake, the first kept first; their bytes are valid until the next
   * {@link keep}.
   *
   * @returns Them, and whether they are all: false where the ring came round.
   */
  packetsOf(row: number): { packets: KeptPacket[]; complete: boolean } {
    const numbers = this.#numbersOf(row).reverse();
    const packets = numbers.map((number) => {
      const slot = number % this.#capacity;
      const start = slot * KEPT_LENGTH_MAX;
      return {
        view: this.#view,
        start,
        end: start + this.#lengths[slot],
        originalLength: this.#originalLengths[slot],
        linkType: this.#linkTypes[slot],
        timeNs: this.#times[slot],
        place: this.#places[slot],
        direction: this.#directions[slot],
      };
    });
    const first = numbers[0] ?? this.#lastOf[row];
    const complete = first === NONE || this.#isKept(first) &&
        this.#previous[first % this.#capacity] === NONE;
    return { packets, complete };
  }

  /** Numbers of the packets of a row that are still there, the last first. */
  #numbersOf(row: number): number[] {
    const numbers: number[] = [];
    let number = this.#lastOf[row];
    while (number !== NONE && this.#isKept(number)) {
      numbers.push(number);
      number = this.#previous[number % this.#capacity];
    }
    return numbers;
  }

  #isKept(number: number): boolean {
    return number >= this.#count - this.#capacity;
  }
}
