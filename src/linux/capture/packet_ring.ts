/**
 * Captures TCP handshakes from an AF_PACKET socket through a TPACKET_V3 ring that the kernel and this
 * process share (linux/if_packet.h, Documentation/networking/packet_mmap.rst).
 *
 * Nothing waits for packets: the caller drains on a timer, every 10 to 25 ms. An idle drain is a look
 * at one word of memory, where waiting on the socket would take a thread and a wake-up each time.
 *
 * @module
 */
import { attachClassicFilter } from "./classic_filter.ts";
import { NONE } from "./choose_interfaces.ts";
import { type FilterCounters, HandshakeFilter } from "./handshake_filter.ts";
import { interfaceName } from "../netns/interfaces.ts";
import { checkResult, libc, memory, SystemCallError } from "../libc.ts";
import {
  FRAME_NEXT_OFFSET,
  FRAME_NSEC,
  FRAME_SEC,
  type FrameHandler,
  RingFrame,
} from "./ring_frame.ts";

// bits/socket.h, asm-generic/socket.h, linux/if_packet.h, linux/if_ether.h, sys/mman.h
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_TIMESTAMPNS = 35;
const SO_ATTACH_BPF = 50;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const TPACKET_V3 = 2;
const ETH_P_ALL = 3;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** `struct tpacket_req3`: seven u32. */
const REQ_SIZE = 28;
const REQ_BLOCK_SIZE = 0;
const REQ_BLOCK_NR = 4;
const REQ_FRAME_SIZE = 8;
const REQ_FRAME_NR = 12;
const REQ_RETIRE_BLK_TOV = 16;
/** Only a divisor of the block in version 3, where frames take the room they need. */
const FRAME_SIZE = 2048;
/** More than 50,000 packets: as many handshakes as the map of kernel records has room for. */
const RING_BYTES = 8 * 1024 * 1024;
/** How long the default ring lasts while few packets come, each in a block of its own. */
const STALL_MS = 10_240;
const RETIRE_MS_MIN = 10;
const RETIRE_MS_MAX = 40;

/** `struct tpacket_block_desc` with its `struct tpacket_hdr_v1`. */
const BLOCK_STATUS = 8;
const BLOCK_NUM_PKTS = 12;
const BLOCK_OFFSET_TO_FIRST_PKT = 16;
const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;

/** `struct sockaddr_ll` for bind(2). */
const SOCKADDR_LL_SIZE = 20;
const SLL_PROTOCOL = 2;
const SLL_IFINDEX = 4;

/** `struct tpacket_stats_v3`: u32 each; `tp_packets` includes `tp_drops`. */
const STATS_SIZE = 12;
const STATS_DROPS = 4;
const STATS_FREEZE_Q_CNT = 8;

/** How to open a {@linkcode PacketRing}. */
export interface PacketRingOptions {
  /** The interface to capture on; 0, the default, is all of them, `NONE` none for now. */
  interfaceIndex?: number;
  /** `auto`, the default, loads the eBPF filter and falls back to the classic one. */
  filter?: "auto" | "ebpf" | "classic";
  /**
   * Bytes of the ring, 8 MiB by default: a multiple of the page size, for each page is a block.
   */
  sizeBytes?: number;
  /**
   * A block is handed over when it is full, at some 25 packets, or holds one and is this old: so frames
   * arrive up to this late. While few packets come, the caller may stall for this time as often as
   * there are blocks before frames are dropped; under load for as long as the ring's bytes last.
   *
   * By default 10 ms, which with 2,048 blocks is 20 s, and with larger pages as long as it takes to
   * have 10 s too, but 40 ms at most.
   */
  retireTimeoutMs?: number;
  /** Half-open handshakes the eBPF filter remembers, 131,072 by default. */
  halfOpenEntries?: number;
}

/** Which filter decides what reaches the ring. */
export interface RingFilter {
  /** `ebpf` passes four packets a handshake; `classic` passes every empty ACK as well. */
  kind: "ebpf" | "classic";
  /** Why the eBPF filter could not be loaded. */
  why?: string;
}

/** Packets counted by the kernel since the ring was opened. */
export interface RingStatistics {
  /** Packets that passed the filter, dropped ones included. */
  packets: number;
  /** Packets that found no room in the ring. */
  drops: number;
  /** How often the ring was full. */
  freezes: number;
}

/** A TPACKET_V3 receive ring with the handshake filter before it. Needs CAP_NET_RAW. */
export class PacketRing implements Disposable {
  /** Which filter is in place, and why it is not the eBPF one. */
  readonly filter: RingFilter;
  /** A frame arrives at most this late; after the last packet wait this long and drain once more. */
  readonly retireTimeoutMs: number;

  readonly #fd: number;
  readonly #handshakeFilter: HandshakeFilter | undefined;
  readonly #blockSize: number;
  readonly #blockCount: number;
  readonly #pointer: Deno.PointerObject;
  readonly #buffer: ArrayBuffer;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #frame: RingFrame;
  readonly #statistics: RingStatistics = { packets: 0, drops: 0, freezes: 0 };
  #isBound = false;
  #block = 0;
  /** Offset of the next frame of the block in hand, and how many it still has: 0 for none in hand. */
  #frameAt = 0;
  #left = 0;
  #closed = false;

  private constructor(
    fd: number,
    filter: RingFilter,
    handshakeFilter: HandshakeFilter | undefined,
    options: Required<PacketRingOptions>,
  ) {
    this.#fd = fd;
    this.filter = filter;
    this.#handshakeFilter = handshakeFilter;
    this.retireTimeoutMs = options.retireTimeoutMs;
    this.#blockSize = libc().getpagesize();
    this.#blockCount = options.sizeBytes / this.#blockSize;

    // The kernel then stamps what it receives when it enters the stack, before it queues for a CPU, and
    // every capture shows the same time; as on any host with an NTP client. What it sends, and without
    // this everything, is stamped when the ring's turn comes, about a microsecond later.
    setInteger(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
    setInteger(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V3, "PACKET_VERSION");
    const request = memory(REQ_SIZE);
    const requestView = new DataView(request.buffer);
    requestView.setUint32(REQ_BLOCK_SIZE, this.#blockSize, true);
    requestView.setUint32(REQ_BLOCK_NR, this.#blockCount, true);
    requestView.setUint32(REQ_FRAME_SIZE, FRAME_SIZE, true);
    requestView.setUint32(REQ_FRAME_NR, this.#blockSize / FRAME_SIZE * this.#blockCount, true);
    requestView.setUint32(REQ_RETIRE_BLK_TOV, this.retireTimeoutMs, true);
    checkResult(
      libc().setsockopt(fd, SOL_PACKET, PACKET_RX_RING, request, REQ_SIZE),
      "setsockopt(PACKET_RX_RING)",
    );

    const length = this.#blockSize * this.#blockCount;
    const address = checkResult(
      libc().mmap(null, BigInt(length), PROT_READ_WRITE, MAP_SHARED, fd, 0n),
      "mmap(PACKET_RX_RING)",
    );
    this.#pointer = Deno.UnsafePointer.create(address)!;
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(this.#pointer, length);
    this.#words = new Uint32Array(this.#buffer);
    this.#frame = new RingFrame(this.#buffer);

    // Bound last: until here the socket has no protocol and so received nothing unfiltered.
    try {
      this.bindTo(options.interfaceIndex);
    } catch (error) {
      this.#unmap();
      throw error;
    }
  }

  /**
   * Captures on another interface from now on. What is in the ring stays.
   *
   * @param interfaceIndex As in {@linkcode PacketRingOptions}.
   * @throws {SystemCallError} ENODEV for an interface that does not exist.
   */
  bindTo(interfaceIndex: number): void {
    if (interfaceIndex === NONE) return;
    const name = memory(SOCKADDR_LL_SIZE);
    const view = new DataView(name.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(SLL_PROTOCOL, ETH_P_ALL);
    view.setInt32(SLL_IFINDEX, interfaceIndex, true);
    checkResult(
      libc().bind(this.#fd, name, SOCKADDR_LL_SIZE),
      `bind(AF_PACKET, interface ${interfaceIndex})`,
    );
    this.#isBound = true;
  }

  /**
   * The interface captured on, 0 for all; `NONE` once it is deleted, for another of its name or its
   * index is not captured on by itself.
   */
  get boundIndex(): number {
    if (this.#closed || !this.#isBound) return NONE;
    const name = memory(SOCKADDR_LL_SIZE);
    const length = memory(4);
    new DataView(length.buffer).setUint32(0, SOCKADDR_LL_SIZE, true);
    checkResult(libc().getsockname(this.#fd, name, length), "getsockname(AF_PACKET)");
    return new DataView(name.buffer).getInt32(SLL_IFINDEX, true);
  }

  /**
   * Asks whether this process may capture, in microseconds: opening a ring takes 25 ms.
   *
   * @throws {SystemCallError} when the kernel refuses: EPERM without CAP_NET_RAW.
   */
  static assertPermitted(): void {
    libc().close(openSocket());
  }

  /**
   * Opens a ring in the network namespace of this thread and starts capturing.
   *
   * @throws {SystemCallError} when the kernel refuses: EPERM without CAP_NET_RAW, ENODEV for an
   * interface that does not exist, ENOMEM, or, with `filter: "ebpf"`, what loading the filter met.
   * @throws {RangeError} when the size is not a multiple of the page size.
   */
  static open(options: PacketRingOptions = {}): PacketRing {
    const pageBytes = libc().getpagesize();
    const sizeBytes = options.sizeBytes ?? RING_BYTES;
    if (sizeBytes <= 0 || sizeBytes % pageBytes !== 0) {
      throw new RangeError(
        `Cannot open a packet ring: sizeBytes "${sizeBytes}" is not a multiple of ${pageBytes}`,
      );
    }
    const all: Required<PacketRingOptions> = {
      interfaceIndex: options.interfaceIndex ?? 0,
      filter: options.filter ?? "auto",
      sizeBytes,
      retireTimeoutMs: options.retireTimeoutMs ?? retireTimeoutMs(sizeBytes / pageBytes),
      halfOpenEntries: options.halfOpenEntries ?? 131_072,
    };
    const fd = openSocket();
    let handshakeFilter: HandshakeFilter | undefined;
    try {
      const filter: RingFilter = { kind: "ebpf" };
      if (all.filter === "classic") {
        filter.kind = "classic";
      } else {
        try {
          handshakeFilter = HandshakeFilter.load(all.halfOpenEntries);
          setInteger(fd, SOL_SOCKET, SO_ATTACH_BPF, handshakeFilter.programFd, "SO_ATTACH_BPF");
        } catch (error) {
          handshakeFilter?.close();
          handshakeFilter = undefined;
          if (all.filter === "ebpf" || !(error instanceof SystemCallError)) throw error;
          filter.kind = "classic";
          filter.why = error.message;
        }
      }
      if (filter.kind === "classic") attachClassicFilter(fd);
      return new PacketRing(fd, filter, handshakeFilter, all);
    } catch (error) {
      handshakeFilter?.close();
      libc().close(fd);
      throw error;
    }
  }

  /**
   * Hands every frame of the blocks that are ready to `onFrame`, oldest first, and gives the blocks
   * back. Never waits. `onFrame` may close the ring; a frame at which it throws is not handed over
   * again.
   *
   * @returns the number of frames handed over.
   */
  drain(onFrame: FrameHandler): number {
    let frames = 0;
    for (; this.ready(); frames++) this.take(onFrame);
    return frames;
  }

  /** Whether there is a frame to {@linkcode take}. Never waits. */
  ready(): boolean {
    while (this.#left === 0) {
      if (this.#closed) return false;
      const block = this.#block * this.#blockSize;
      const words = this.#words;
      // Atomic, so that no frame is read before the kernel has handed the block over.
      if ((Atomics.load(words, (block + BLOCK_STATUS) >>> 2) & TP_STATUS_USER) === 0) return false;
      this.#left = words[(block + BLOCK_NUM_PKTS) >>> 2];
      this.#frameAt = block + words[(block + BLOCK_OFFSET_TO_FIRST_PKT) >>> 2];
      if (this.#left === 0) this.#giveBack();
    }
    return true;
  }

  /** Whole seconds of Unix time at which the frame was captured that {@linkcode ready} found. */
  get nextSeconds(): number {
    return this.#words[(this.#frameAt + FRAME_SEC) >>> 2];
  }

  /** Nanoseconds beyond {@linkcode nextSeconds}. */
  get nextNanoseconds(): number {
    return this.#words[(this.#frameAt + FRAME_NSEC) >>> 2];
  }

  /** Hands the frame that {@linkcode ready} found to `onFrame`, which may close the ring. */
  take(onFrame: FrameHandler): void {
    const at = this.#frameAt;
    this.#left--;
    try {
      this.#frame.fill(at);
      onFrame(this.#frame);
    } finally {
      if (!this.#closed) {
        if (this.#left === 0) this.#giveBack();
        else this.#frameAt = at + this.#words[(at + FRAME_NEXT_OFFSET) >>> 2];
      }
    }
  }

  /** Gives the block in hand back to the kernel. */
  #giveBack(): void {
    const status = (this.#block * this.#blockSize + BLOCK_STATUS) >>> 2;
    Atomics.store(this.#words, status, TP_STATUS_KERNEL);
    this.#block = this.#block + 1 === this.#blockCount ? 0 : this.#block + 1;
  }

  /**
   * The name of the interface with this index in the network namespace that the ring captures in,
   * whichever this thread is in; `undefined` when there is none.
   */
  interfaceName(index: number): string | undefined {
    return this.#closed ? undefined : interfaceName(this.#fd, index);
  }

  /**
   * The kernel's counts since opening; after {@linkcode close} those at closing. Frames drained plus
   * `drops` plus those in blocks not yet handed over are `packets`.
   *
   * @throws {SystemCallError} when the kernel refuses.
   */
  statistics(): RingStatistics {
    if (!this.#closed) {
      // Reading resets the kernel's counts.
      const counts = memory(STATS_SIZE);
      getOption(this.#fd, SOL_PACKET, PACKET_STATISTICS, counts, "PACKET_STATISTICS");
      const view = new DataView(counts.buffer);
      this.#statistics.packets += view.getUint32(0, true);
      this.#statistics.drops += view.getUint32(STATS_DROPS, true);
      this.#statistics.freezes += view.getUint32(STATS_FREEZE_Q_CNT, true);
    }
    return { ...this.#statistics };
  }

  /** What the eBPF filter counted, after {@linkcode close} up to closing; `undefined` without it. */
  filterCounters(): FilterCounters | undefined {
    return this.#handshakeFilter?.counters();
  }

  /** How many half-open flows the eBPF filter gave up, as in {@linkcode filterCounters}. */
  get filterGivenUp(): number | undefined {
    return this.#handshakeFilter?.counter("given_up");
  }

  /** Stops capturing and gives everything back, in 25 ms or more. Idempotent. */
  close(): void {
    if (this.#stop()) libc().close(this.#fd);
  }

  /** Like {@linkcode close}, but the kernel's part goes on beside this thread until it settles. */
  async closeAside(): Promise<void> {
    if (this.#stop()) await libc().close_aside(this.#fd);
  }

  /** @returns Whether the descriptor is left to be closed. */
  #stop(): boolean {
    if (this.#closed) return false;
    this.statistics();
    this.#closed = true;
    this.#left = 0;
    this.#unmap();
    this.#handshakeFilter?.close();
    return true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #unmap(): void {
    // Transferring detaches every view, so that one kept too long throws instead of crashing.
    this.#buffer.transfer();
    libc().munmap(this.#pointer, BigInt(this.#blockSize * this.#blockCount));
  }
}

function retireTimeoutMs(blocks: number): number {
  return Math.min(Math.max(RETIRE_MS_MIN, Math.ceil(STALL_MS / blocks)), RETIRE_MS_MAX);
}

/** A packet socket that captures nothing until it is bound. */
function openSocket(): number {
  return checkResult(
    libc().socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
    "socket(AF_PACKET)",
  );
}

function setInteger(fd: number, level: number, option: number, value: number, name: string): void {
  const bytes = memory(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  checkResult(libc().setsockopt(fd, level, option, bytes, 4), `setsockopt(${name})`);
}

function getOption(
  fd: number,
  level: number,
  option: number,
  value: Uint8Array<ArrayBuffer>,
  name: string,
): void {
  const length = memory(4);
  new DataView(length.buffer).setUint32(0, value.length, true);
  checkResult(libc().getsockopt(fd, level, option, value, length), `getsockopt(${name})`);
}
