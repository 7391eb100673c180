import type { KernelDrop, QueueState } from "../kernel/kernel_record.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import type { DroppedPacket } from "./handshake.ts";

/** What is kept of the packets of one handshake that the kernel dropped. */
export interface Drops {
  /** How many there were. */
  count: number;
  /** When the first was dropped, nanoseconds on the axis. */
  firstNs: number;
  /** When the last was dropped; what follows is of that one. */
  lastNs: number;
  /** Why, by its symbol. */
  reason: string;
  /** Which packet of the handshake it was. */
  packet: DroppedPacket;
  /** The listener's queue that was full, where that is the reason. */
  queue: QueueState | undefined;
  /** Sequence number of a SYN-ACK that was dropped; undefined where only SYNs were. */
  serverIsn: number | undefined;
  /** The listener that refused a SYN; undefined where none did. */
  refusal: Refusal | undefined;
}

/** The listener that refused a SYN. */
export interface Refusal {
  /** Inode number of its network namespace. */
  netns: number;
  /** Inode number of its socket; undefined where that is not known. */
  listener: number | undefined;
}

/** Why a SYN is dropped where nobody listens (`enum skb_drop_reason`). */
const NO_SOCKET = "NO_SOCKET";

/** Tells whether the kernel answered what it dropped with a RST: it does where nobody listens. */
export function isRefusal({ packet, reason }: Pick<Drops, "packet" | "reason">): boolean {
  return packet === "syn" && reason === NO_SOCKET;
}

/**
 * Adds a dropped packet to those of its handshake. The one dropped last gives the reason, whichever
 * is told of first.
 *
 * @param drops What is kept so far, changed; undefined for the first.
 * @param record The dropped SYN or SYN-ACK.
 * @returns What to keep.
 */
export function addDrop(drops: Drops | undefined, record: KernelDrop): Drops {
  const { endNs, reason, queue } = record;
  const isSynAck = (record.flags & TcpFlag.ACK) !== 0;
  const packet = isSynAck ? "syn_ack" : "syn";
  const serverIsn = isSynAck ? record.sequence : undefined;
  if (drops === undefined) {
    return {
      count: 1,
      firstNs: endNs,
      lastNs: endNs,
      reason,
      packet,
      queue,
      serverIsn,
      refusal: refusalOf(record),
    };
  }
  drops.count++;
  drops.firstNs = Math.min(drops.firstNs, endNs);
  drops.serverIsn ??= serverIsn;
  drops.refusal ??= refusalOf(record);
  if (endNs >= drops.lastNs) {
    drops.lastNs = endNs;
    drops.reason = reason;
    drops.packet = packet;
    drops.queue = queue;
  }
  return drops;
}

function refusalOf({ netns, listener }: KernelDrop): Refusal | undefined {
  return netns === undefined ? undefined : { netns, listener };
}
