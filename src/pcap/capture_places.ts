/**
 * Which packets of capture files were seen at one place.
 *
 * @module
 */
import { LinkType } from "../wire/frame.ts";
import type { CapturedPacket, CaptureInterface } from "./captured_packet.ts";
import { isOutbound } from "./pcapng_option.ts";

/** `sll2_if_index` of `struct sll2_header` in libpcap's pcap/sll.h, big endian. */
const SLL2_INTERFACE_INDEX = 4;
const SLL2_LENGTH = 20;

/** Places that are told apart; packets of others all count for the unknown place 0. */
const PLACES_MAX = 4_096;
/** Names of the loopback interface, on Linux and BSD. */
const LOOPBACK_NAME = /^lo\d*$/;
/** A direction is told apart from the other by this, above all interface indices. */
const OUTBOUND_KEY = 2 ** 32;

/**
 * Gives each interface of the files that are read a number from 1 on, as the matcher wants it: only
 * times of one place can be subtracted, and a packet seen at several places counts once. An interface
 * is the same in several files by its name; packets of an "any" capture are told apart by the index in
 * their header. On the loopback a packet can be captured as it leaves and as it arrives: those are
 * two places.
 */
export class CapturePlaces {
  /** Packets whose place could not be numbered because there were too many. */
  overflows = 0;
  readonly #names: (string | undefined)[] = [undefined];
  readonly #hidesData: boolean[] = [false];
  readonly #byName = new Map<string, Map<number, number>>();
  #lastInterface: CaptureInterface | undefined;
  #lastPlaces = new Map<number, number>();
  #lastIsLoopback = false;

  /** The place of a packet, 1 or above; 0 where there were too many. */
  of(packet: CapturedPacket): number {
    const described = packet.interface;
    if (described !== this.#lastInterface) this.#enter(described);
    let key = packet.interfaceIndex;
    if (described.linkType === LinkType.LINUX_SLL2 && packet.end - packet.start >= SLL2_LENGTH) {
      key = packet.view.getUint32(packet.start + SLL2_INTERFACE_INDEX);
    }
    if (this.#lastIsLoopback && packet.optionsEnd > packet.optionsStart && isOutbound(packet)) {
      key += OUTBOUND_KEY;
    }
    return this.#lastPlaces.get(key) ?? this.#add(key, described);
  }

  /** The name of a place's interface; untrusted text, undefined where the file has none. */
  nameOf(place: number): string | undefined {
    return this.#names[place];
  }

  /** Whether data is hidden at a place, see {@link CaptureInterface.hidesData}. */
  hidesData(place: number): boolean {
    return this.#hidesData[place];
  }

  #enter(described: CaptureInterface): void {
    const { name, number, hidesData } = described;
    // Nothing else tells nameless interfaces apart; a name cannot hold a zero byte.
    const key = (name ?? `\0${number}`) + (hidesData ? "\0" : "");
    this.#lastPlaces = this.#byName.get(key) ?? new Map();
    if (this.#names.length <= PLACES_MAX) this.#byName.set(key, this.#lastPlaces);
    this.#lastInterface = described;
    this.#lastIsLoopback = name !== undefined && LOOPBACK_NAME.test(name);
  }

  #add(key: number, { name, hidesData }: CaptureInterface): number {
    if (this.#names.length > PLACES_MAX) {
      this.overflows++;
      return 0;
    }
    const place = this.#names.push(name) - 1;
    this.#hidesData.push(hidesData);
    this.#lastPlaces.set(key, place);
    return place;
  }
}
