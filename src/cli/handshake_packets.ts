/**
 * The packets of the handshakes that are reported, from the capture to a file of their own.
 *
 * @module
 */
import type { PacketOutput } from "../files/packet_output.ts";
import { type RowKeeper, ROWS_USUAL } from "../match/options.ts";
import type { Handshake } from "../match/handshake.ts";
import { type KeptPacket, KeptPackets } from "../pcap/kept_packets.ts";
import { PcapngWriter, type PcapngWriterOptions } from "../pcap/pcapng_writer.ts";
import { describeHandshake } from "../output/packet_comment.ts";
import type { Losses } from "../output/summary.ts";

/** Packets kept until their handshake has ended: twice as many as handshakes, 38 MB. */
const KEPT_PACKETS = 2 * ROWS_USUAL;
/** Bytes gathered before they are written between two calls of {@link HandshakePackets.flush}. */
const GATHERED_MAX = 1 << 20;

/** Makes a {@link HandshakePackets} for an output. @param options What to write of times and interfaces. */
export type MakeHandshakePackets = (options: PcapngWriterOptions) => HandshakePackets;

/** Keeps the packets of handshakes under way and writes those of each that is reported. */
export class HandshakePackets {
  readonly #kept: KeptPackets;
  readonly #writer: PcapngWriter;
  readonly #output: PacketOutput;
  #gathered = 0;
  #incomplete = 0;
  #synced = true;

  /**
   * Reserves the memory.
   *
   * @param output Where to. @param options What to write of times and interfaces.
   * @param capacity Packets kept at most.
   */
  constructor(output: PacketOutput, options: PcapngWriterOptions, capacity = KEPT_PACKETS) {
    this.#output = output;
    this.#writer = new PcapngWriter(options);
    this.#kept = new KeptPackets(ROWS_USUAL, capacity);
  }

  /** Whether the file lacks packets that could not be written. */
  get failed(): boolean {
    return this.#output.lost > 0 || !this.#synced;
  }

  /** Whom the matcher tells what becomes of its rows. */
  get rowKeeper(): RowKeeper {
    return this.#kept;
  }

  /** Keeps a packet. @param row The row of its handshake; -1 where it is of none. */
  keep(row: number, packet: Readonly<KeptPacket>): void {
    if (row >= 0) this.#kept.keep(row, packet);
  }

  /** Writes the packets of a handshake that ended; none where only the kernel saw it. */
  write(handshake: Handshake, row: number): void {
    const { packets, complete } = this.#kept.packetsOf(row);
    if (!complete) this.#incomplete++;
    packets.forEach((packet, index) => {
      this.#writer.packet(packet, index === 0 ? describeHandshake(handshake) : undefined);
    });
    this.#gathered += packets.length;
    if (this.#writer.length > GATHERED_MAX) this.flush();
  }

  /** Writes what was gathered since the last time. */
  flush(): void {
    if (this.#output.isStale) {
      // What was gathered belongs to the old file, whose interfaces it names.
      const wasTaken = this.#append();
      if (this.#output.renew() || !wasTaken) this.#writer.beginSection();
    }
    // The interfaces of later packets were perhaps described in what is lost.
    if (!this.#append()) this.#writer.beginSection();
  }

  /** @returns Whether what was gathered was taken. */
  #append(): boolean {
    if (this.#writer.length === 0) return true;
    const packets = this.#gathered;
    this.#gathered = 0;
    return this.#output.append(this.#writer.take(), packets);
  }

  /** Tells that the end is near. */
  hasten(): void {
    this.#output.hasten();
  }

  /** Settles when everything was written or given up. */
  async settle(): Promise<void> {
    await this.#output.flush();
  }

  /**
   * Writes what is left; some outputs need to be flushed then.
   *
   * @param span From when to when was captured, on the axis.
   * @param dropped Packets that the capture lost before they could be matched.
   */
  end(span: { startNs: number; endNs: number }, dropped: number): void {
    this.#writer.statistics(span.startNs, span.endNs, dropped);
    this.flush();
    this.#synced = this.#output.sync();
  }

  /** What was lost of the packets so far. */
  get losses(): Losses {
    // What the disk did not take after all, nobody counts.
    const lost = this.#synced ? this.#output.lost : undefined;
    return { kept_handshakes: this.#incomplete, written_packets: lost };
  }
}
