/**
 * The wire's side of a trace: a capture ring for each interface named, or one for all, and the
 * decoder behind it.
 *
 * @module
 */
import type { KeptPacket } from "../pcap/kept_packets.ts";
import { Direction } from "../pcap/pcapng_option.ts";
import { decodePacket, FrameVerdict, frameVerdictNames, LinkType } from "../wire/frame.ts";
import { Segment } from "../wire/segment.ts";
import type { ClockAxis } from "../match/clock.ts";
import { interfaceName } from "./interfaces.ts";
import { PacketRing, type PacketRingOptions, type RingFilter } from "./packet_ring.ts";

/** Where to capture and whom to hand the segments. */
export interface WireSourceOptions {
  /** Indices of the interfaces; none means all of them. */
  interfaces: readonly number[];
  filter: NonNullable<PacketRingOptions["filter"]>;
  axis: ClockAxis;
  /**
   * Called for each TCP segment that the filter passed, with the packet that it is in. Both objects
   * are reused for the next; the packet's bytes lie in the ring and are valid during the call.
   */
  onSegment(segment: Segment, packet: Readonly<KeptPacket>): void;
}

/** Packets captured and what became of them. */
export interface WireStatistics {
  /** Passed by the filter, dropped ones included. */
  packets: number;
  /** Dropped because the ring was full. */
  drops: number;
  /** Half-open flows that the eBPF filter gave up for newer ones; undefined with the classic one. */
  filterHalfOpen: number | undefined;
  /** Not decoded, by reason. */
  undecoded: Record<string, number>;
}

/** `sll_pkttype` of what this host sent (linux/if_packet.h). */
const PACKET_OUTGOING = 4;

/** The rings of one trace. */
export class WireSource implements Disposable {
  readonly #rings: PacketRing[] = [];
  readonly #options: WireSourceOptions;
  readonly #segment = new Segment();
  readonly #packet: KeptPacket = {
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
    originalLength: 0,
    // Both filters pass nothing but IP, which AF_PACKET delivers from its header on.
    linkType: LinkType.RAW,
    timeNs: 0,
    place: 0,
    direction: Direction.UNKNOWN,
  };
  readonly #verdicts = new Float64Array(frameVerdictNames.length);
  #lastInterface = 0;

  /**
   * Opens the rings.
   *
   * @throws {SystemCallError} EPERM without CAP_NET_RAW.
   */
  constructor(options: WireSourceOptions) {
    this.#options = options;
    try {
      for (const interfaceIndex of options.interfaces.length > 0 ? options.interfaces : [0]) {
        this.#rings.push(PacketRing.open({ interfaceIndex, filter: options.filter }));
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Which filter is in place. */
  get filter(): RingFilter {
    return this.#rings[0].filter;
  }

  /** How long a packet may stay in a ring before it can be drained. */
  get retireTimeoutMs(): number {
    return this.#rings[0].retireTimeoutMs;
  }

  /** Decodes and hands on every packet that is ready. */
  drain(): void {
    for (const ring of this.#rings) ring.drain(this.#onFrame);
  }

  readonly #onFrame = (
    view: DataView<ArrayBuffer>,
    networkOffset: number,
    capturedEnd: number,
    originalLength: number,
    protocol: number,
    interfaceIndex: number,
    packetType: number,
    vlanId: number,
    seconds: number,
    nanoseconds: number,
  ): void => {
    const segment = this.#segment;
    const verdict = decodePacket(
      view,
      networkOffset,
      capturedEnd,
      originalLength,
      segment,
      protocol,
    );
    if (verdict !== FrameVerdict.Tcp) {
      this.#verdicts[verdict]++;
      return;
    }
    if (vlanId >= 0) segment.vlan = vlanId;
    if (interfaceIndex !== this.#lastInterface) {
      // Its name is kept from now on: it may be gone when the handshake is reported.
      interfaceName(interfaceIndex);
      this.#lastInterface = interfaceIndex;
    }
    const packet = this.#packet;
    packet.view = view;
    packet.start = networkOffset;
    packet.end = capturedEnd;
    packet.originalLength = originalLength;
    packet.timeNs = this.#options.axis.fromRealtime(seconds, nanoseconds);
    packet.place = interfaceIndex;
    packet.direction = packetType === PACKET_OUTGOING ? Direction.OUTBOUND : Direction.INBOUND;
    this.#options.onSegment(segment, packet);
  };

  /** What an interface reported since the last call, such as that it went down; one sentence each. */
  takeErrors(): string[] {
    const errors: string[] = [];
    for (const [position, ring] of this.#rings.entries()) {
      const error = ring.takeError();
      if (!error) continue;
      const index = this.#options.interfaces[position];
      const name = index === undefined ? "all interfaces" : interfaceName(index) ?? `#${index}`;
      errors.push(`Cannot capture on "${name}" for now: ${error.errnoName}`);
    }
    return errors;
  }

  /** Counts since the rings were opened; takes milliseconds, so not while a trace goes on. */
  statistics(): WireStatistics {
    const statistics: WireStatistics = {
      packets: 0,
      drops: 0,
      filterHalfOpen: undefined,
      undecoded: {},
    };
    for (const ring of this.#rings) {
      const { packets, drops } = ring.statistics();
      statistics.packets += packets;
      statistics.drops += drops;
      const evicted = ring.filterCounters()?.evicted;
      if (evicted !== undefined) {
        statistics.filterHalfOpen = (statistics.filterHalfOpen ?? 0) + evicted;
      }
    }
    this.#verdicts.forEach((count, verdict) => {
      if (count > 0) statistics.undecoded[frameVerdictNames[verdict]] = count;
    });
    return statistics;
  }

  /** Closes the rings. */
  [Symbol.dispose](): void {
    for (const ring of this.#rings) ring.close();
  }
}
