/**
 * The packets of the handshakes that are reported, from the capture to a file of their own.
 *
 * @module
 */
import type { PacketOutput } from "../files/packet_output.ts";
import type { Handshake } from "../match/handshake.ts";
import { KeptPackets } from "../pcap/kept_packets.ts";
import { PcapngWriter } from "../pcap/pcapng_writer.ts";
import type { Losses } from "../pipeline/losses.ts";
import {
  NO_ROW,
  type PacketKeeper,
  type Sink,
  type Source,
  type TraceState,
} from "../pipeline/sink.ts";
import { describeHandshake } from "./packet_comment.ts";

/** Packets kept until their handshake has ended, for each that may be under way: 38 MB in all. */
const PACKETS_A_ROW = 2;
/** Bytes gathered before they are written between two calls of {@link PacketSink.flush}. */
const GATHERED_MAX = 1 << 20;

/** Keeps the packets of handshakes under way and writes those of each that it takes. */
export class PacketSink implements Sink {
  readonly label = "packets";
  readonly #output: PacketOutput;
  readonly #keptMax: number | undefined;
  #kept: KeptPackets | undefined;
  #writer: PcapngWriter | undefined;
  #gathered = 0;
  #incomplete = 0;
  #synced = true;

  /**
   * @param output Where to. @param keptMax Packets kept at most; undefined: twice as many as handshakes.
   */
  constructor(output: PacketOutput, keptMax?: number) {
    this.#output = output;
    this.#keptMax = keptMax;
  }

  /** See {@link Sink.begin}. */
  begin(source: Source): void {
    this.#writer = new PcapngWriter({
      epochSeconds: () => source.epochSeconds,
      interfaceName: (place) => source.interfaceInFile(place),
      hidesData: (place) => source.hidesData(place),
    });
  }

  /** See {@link Sink.keepPackets}. Reserves the memory. */
  keepPackets(rows: number): PacketKeeper {
    return this.#kept = new KeptPackets(rows, this.#keptMax ?? PACKETS_A_ROW * rows);
  }

  /** Writes the packets of a handshake that ended; none where only the kernel saw it. */
  take(handshake: Handshake, row: number): void {
    if (row === NO_ROW) return;
    // Only what was gathered before belongs to the old file.
    if (this.#output.isStale) this.flush();
    const writer = this.#writer!;
    const { packets, complete } = this.#kept!.packetsOf(row);
    if (!complete) this.#incomplete++;
    packets.forEach((packet, index) => {
      writer.packet(packet, index === 0 ? describeHandshake(handshake) : undefined);
    });
    this.#gathered += packets.length;
    if (writer.length > GATHERED_MAX) this.flush();
  }

  /** Writes what was gathered since the last time. */
  flush(): void {
    if (this.#output.isStale) {
      // What was gathered belongs to the old file, whose interfaces it names.
      const wasTaken = this.#append();
      if (this.#output.renew() || !wasTaken) this.#writer!.beginSection();
    }
    // The interfaces of later packets were perhaps described in what is lost.
    if (!this.#append()) this.#writer!.beginSection();
  }

  /** @returns Whether what was gathered was taken. */
  #append(): boolean {
    if (this.#writer!.length === 0) return true;
    const packets = this.#gathered;
    this.#gathered = 0;
    return this.#output.append(this.#writer!.take(), packets);
  }

  /** Tells that the end is near. */
  hasten(): void {
    this.#output.hasten();
  }

  /** Settles when everything was written or given up. */
  async settle(): Promise<void> {
    await this.#output.flush();
  }

  /** Writes what is left, and what the capture dropped. */
  end({ capturedUntilNs, span, losses }: TraceState): void {
    const dropped = losses.ring_packets ?? losses.capture_packets ?? 0;
    this.#writer!.statistics(span.startNs, capturedUntilNs ?? span.endNs, dropped);
    this.flush();
    this.#synced = this.#output.sync();
  }

  /** Whether the file lacks packets that could not be written. */
  get failed(): boolean {
    return this.#output.lost > 0 || !this.#synced;
  }

  /** What was lost of the packets so far. */
  get losses(): Losses {
    // What the disk did not take after all, nobody counts.
    const lost = this.#synced ? this.#output.lost : undefined;
    return { kept_handshakes: this.#incomplete, written_packets: lost };
  }
}
