import { BlockType } from "../pcap/pcapng_parser.ts";
import type { PacketOutput } from "./packet_output.ts";
import { type ByteWriter, StreamOutput } from "./stream_output.ts";

/** A stream of which a new reader needs the start. */
export interface RestartingWriter extends ByteWriter, Disposable {
  /** Whether its reader has gone. */
  readonly hasEnded: boolean;
  /** Then: bytes written that nobody will read. */
  readonly unreadBytes: number;
}

/** What a stream of packets needs. */
export interface PacketStreamOptions {
  /**
   * Opens the stream: again each time its reader has gone, for the next one. Undefined: what was said
   * of the first is all there is.
   */
  reopen: (() => RestartingWriter) | undefined;
  /** Called each time it cannot be written; without a reason its reader has gone for good. */
  onFault(reason: string | undefined): void;
  /** Bytes that wait at most. */
  waitingMax?: number;
}

/** Blocks that were handed over together. */
interface Batch {
  /** Bytes of the stream up to its end. */
  end: number;
  packets: number;
}

/** More than a pipe holds. */
const REMEMBERED_BYTES = 2 << 20;

/** pcapng to a FIFO, a pipe or a device: each reader of a FIFO gets a file from its start. */
export class PacketStream implements PacketOutput {
  readonly #options: PacketStreamOptions;
  #writer: CountingWriter;
  #stream: StreamOutput;
  /** Lost with readers that went. */
  #lostBefore = 0;
  #handedOver = 0;
  #batches: Batch[] = [];
  /** Packets that the stream had no room for. */
  #refused = 0;

  /** Takes over an opened stream. */
  constructor(writer: ByteWriter, options: PacketStreamOptions) {
    this.#options = options;
    this.#writer = new CountingWriter(writer);
    this.#stream = this.#open();
  }

  #open(): StreamOutput {
    const { reopen, onFault, waitingMax } = this.#options;
    return new StreamOutput(this.#writer, (reason) => {
      if (reason !== undefined || !reopen) onFault(reason);
    }, { waitingMax, goesOn: true, losesGone: !reopen, countFrom: countPackets });
  }

  /** See {@link PacketOutput.isStale}: its reader has gone. */
  get isStale(): boolean {
    return this.#restarting?.hasEnded ?? false;
  }

  get #restarting(): RestartingWriter | undefined {
    return this.#options.reopen && this.#writer.inner as RestartingWriter;
  }

  /** See {@link PacketOutput.append}. */
  append(blocks: Uint8Array<ArrayBuffer>, packets: number): boolean {
    if (this.isStale) {
      this.#lostBefore += packets;
      return false;
    }
    const lostBefore = this.#stream.lost;
    if (!this.#stream.write(blocks, packets)) {
      this.#refused += this.#stream.lost - lostBefore;
      return false;
    }
    this.#handedOver += blocks.length;
    this.#batches.push({ end: this.#handedOver, packets });
    this.#forgetRead();
    return true;
  }

  /** Only what may still be in the pipe can be lost with its reader. */
  #forgetRead(): void {
    const read = this.#writer.written - REMEMBERED_BYTES;
    if (this.#batches[0].end > read) return;
    this.#batches = this.#batches.filter(({ end }) => end > read);
  }

  /** See {@link PacketOutput.lost}. */
  get lost(): number {
    const ofThis = this.isStale ? this.#refused + this.#unreadPackets() : this.#stream.lost;
    return this.#lostBefore + ofThis;
  }

  /** Begins again for the next reader. */
  renew(): boolean {
    const { reopen } = this.#options;
    if (!reopen || !this.isStale) return false;
    this.#lostBefore = this.lost;
    this.#restarting![Symbol.dispose]();
    this.#writer = new CountingWriter(reopen());
    this.#stream = this.#open();
    this.#handedOver = this.#refused = 0;
    this.#batches = [];
    return true;
  }

  /** Packets of batches that were not read to their end. */
  #unreadPackets(): number {
    const read = this.#writer.written - this.#restarting!.unreadBytes;
    return this.#batches.filter(({ end }) => end > read)
      .reduce((sum, { packets }) => sum + packets, 0);
  }

  /** See {@link PacketOutput.flush}. */
  async flush(): Promise<void> {
    await this.#stream.flush();
  }

  /** See {@link PacketOutput.hasten}. */
  hasten(): void {
    this.#stream.hasten();
  }

  /** A stream has nothing to wait for. */
  sync(): boolean {
    return true;
  }
}

/** Knows how much was written. */
class CountingWriter implements ByteWriter {
  written = 0;

  constructor(readonly inner: ByteWriter) {}

  get isUnread(): boolean | undefined {
    return this.inner.isUnread;
  }

  get patienceMs(): number | undefined {
    return this.inner.patienceMs;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const count = await this.inner.write(bytes);
    this.written += count;
    return count;
  }

  close(): void {
    this.inner.close?.();
  }
}

/** Packets among whole blocks of pcapng that end behind an offset (draft-ietf-opsawg-pcapng §3.1). */
export function countPackets(blocks: Uint8Array, from: number): number {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
  let count = 0;
  for (let at = 0; at < blocks.length;) {
    const end = at + view.getUint32(at + 4, true);
    if (end > from && view.getUint32(at, true) === BlockType.ENHANCED_PACKET) count++;
    at = end;
  }
  return count;
}
