/**
 * Tells from a few bytes of a frame that it cannot belong to a handshake, so that it need not be
 * decoded: most packets of a capture are data.
 *
 * @module
 */
import { LinkType } from "./frame.ts";
import { EtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { sequenceAdd } from "./sequence.ts";
import { TcpFlag } from "./tcp_flags.ts";

/** Offsets of the EtherType and of what follows, by link layer; see ethernet.ts and cooked.ts. */
const ETHERNET = { etherType: 12, length: 14 };
const SLL = { etherType: 14, length: 16 };
const SLL2 = { etherType: 0, length: 20 };
const NONE = { etherType: -1, length: 0 };

/** RFC 791 §3.1, RFC 8200 §3 and RFC 9293 §3.1. */
const IPV4_FRAGMENT = 6;
const IPV4_FRAGMENT_BITS = 0x3fff;
const IPV4_PROTOCOL = 9;
const IPV4_SOURCE = 12;
const IPV4_DESTINATION = 16;
const IPV4_LENGTH = 20;
const IPV6_NEXT_HEADER = 6;
const IPV6_SOURCE = 8;
const IPV6_DESTINATION = 24;
const IPV6_LENGTH = 40;
const TCP = 6;
const TCP_PORTS = 0;
const TCP_SEQUENCE = 4;
const TCP_FLAGS = 13;
const TCP_LENGTH = 20;
/** Third word of a v4-mapped address (RFC 4291 §2.5.5.2). */
const MAPPED_WORD = 0xffff;

const BUCKET_BITS = 17;
/** Far longer than anybody waits for a third packet: a server repeats its SYN-ACK for 63 s. */
const KEEP_NS = 180e9;

/** Packets of one handshake that pass at most without completing it: what it still shows is long seen. */
const PASSED_MAX = 4_096;

/** What a bucket holds beside its state, in words of 32 bits. */
const TAG = 0;
/** What the third packet must have for its numbers, as signed integers. */
const SEQUENCE = 1;
const ACKNOWLEDGMENT = 2;
const CLIENT_IS_LOWER = 3;
const PASSED = 4;
const BUCKET_WORDS_BITS = 3;
/** When it was opened: a double in the place of the last two words. */
const OPENED_NS = 3;
const BUCKET_DOUBLES_BITS = 2;

/** What a bucket holds: nothing, one handshake, or several of which none can be told apart. */
const EMPTY = 0;
const ONE = 1;
const SHARED = 2;
/** One whose SYN-ACK did not come yet. */
const ASKED = 3;

/**
 * Knows the handshakes that wait for their third packet, as far as needed to never hold back a packet
 * of one: SYN and RST always pass, another segment only where its tuple had a SYN or SYN-ACK and that
 * packet did not come yet. What the gate does not understand at a glance passes too, for the
 * decoder to judge. Fixed in size; when handshakes meet in a bucket, all of that bucket passes.
 */
export class HandshakeGate {
  /**
   * Time of the packets at hand, nanoseconds, some milliseconds old at the most. It is no argument,
   * because a number that is no small integer costs an allocation where it is one.
   */
  nowNs = -Infinity;
  /** So short that it stays in the processor's cache: of an empty bucket nothing else is read. */
  readonly #state = new Uint8Array(1 << BUCKET_BITS);
  /** The rest of a bucket is in one line of that cache. */
  readonly #words = new Int32Array(1 << BUCKET_BITS + BUCKET_WORDS_BITS);
  readonly #doubles = new Float64Array(this.#words.buffer);
  readonly #seed: number;

  /** @param seed Makes buckets unpredictable for who wrote the capture. */
  constructor(seed: number = Math.floor(Math.random() * 2 ** 32)) {
    this.#seed = seed;
  }

  /** Takes a SYN or SYN-ACK: what answers it passes from now on. */
  open(segment: Segment): void {
    const source = fold(segment.source);
    const destination = fold(segment.destination);
    const ports = segment.sourcePort << 16 | segment.destinationPort;
    const isLower = isLowerEnd(source, destination, ports);
    const tag = this.#tag(source, destination, ports);
    const words = this.#words;
    const bucket = bucketOf(tag);
    const at = bucket << BUCKET_WORDS_BITS;
    const openedAt = (bucket << BUCKET_DOUBLES_BITS) + OPENED_NS;
    let state = this.#state[bucket];
    if (state !== EMPTY && this.nowNs - this.#doubles[openedAt] > KEEP_NS) state = EMPTY;
    const isAnswer = (segment.flags & TcpFlag.ACK) !== 0;
    const clientIsLower = isLower !== isAnswer ? 1 : 0;
    const isSame = (state === ONE || state === ASKED) && words[at + TAG] === tag &&
      words[at + CLIENT_IS_LOWER] === clientIsLower;
    const next = (isAnswer ? segment.acknowledgment : sequenceAdd(segment.sequence, 1)) | 0;
    const isAgain = isSame && words[at + SEQUENCE] === next;
    if (isAnswer) {
      this.#state[bucket] = state === EMPTY || isSame ? ONE : SHARED;
    } else if (isAgain && state === ONE) {
      // The SYN sent again: its answer is known.
      return;
    } else {
      // Of a SYN with data nobody knows yet how much of that is taken.
      const isOnly = state === EMPTY || isAgain && state === ASKED;
      this.#state[bucket] = isOnly && segment.payloadLength === 0 ? ASKED : SHARED;
    }
    words[at + TAG] = tag;
    words[at + CLIENT_IS_LOWER] = clientIsLower;
    words[at + SEQUENCE] = next;
    words[at + ACKNOWLEDGMENT] = sequenceAdd(segment.sequence, 1);
    words[at + PASSED] = 0;
    this.#doubles[openedAt] = this.nowNs;
  }

  /**
   * Takes a segment that the host believes: where it completes a handshake exactly, what comes after it
   * is of no use and does not pass.
   */
  close(segment: Segment): void {
    const source = fold(segment.source);
    const destination = fold(segment.destination);
    const ports = segment.sourcePort << 16 | segment.destinationPort;
    const isLower = isLowerEnd(source, destination, ports);
    const tag = this.#tag(source, destination, ports);
    const words = this.#words;
    const bucket = bucketOf(tag);
    const at = bucket << BUCKET_WORDS_BITS;
    const completes = this.#state[bucket] === ONE && words[at + TAG] === tag &&
      (words[at + CLIENT_IS_LOWER] !== 0) === isLower &&
      (segment.sequence | 0) === words[at + SEQUENCE] &&
      (segment.acknowledgment | 0) === words[at + ACKNOWLEDGMENT] &&
      (segment.flags & TcpFlag.ACK) !== 0;
    if (completes) this.#state[bucket] = EMPTY;
  }

  /**
   * Whether a frame must be decoded. False only for a whole TCP segment without SYN and RST that is of
   * no handshake under way. Reads nothing outside `start` to `end`, and never throws.
   *
   * @param view Bytes. @param start Offset of the frame. @param end Offset behind its last byte captured.
   * @param linkType Link type of the capture.
   */
  passes(view: DataView, start: number, end: number, linkType: number): boolean {
    const link = linkOf(linkType);
    if (link === undefined) return true;
    const at = start + link.length;
    // The shorter of the two headers, without options.
    if (at + IPV4_LENGTH + TCP_LENGTH > end) return true;
    const version = view.getUint8(at) >>> 4;
    if (link !== NONE) {
      const announced = view.getUint16(start + link.etherType);
      if (announced !== (version === 4 ? EtherType.IPV4 : EtherType.IPV6)) return true;
    }
    if (version === 4) return this.#passesIpv4(view, at, end);
    return version !== 6 || this.#passesIpv6(view, at, end);
  }

  #passesIpv4(view: DataView, at: number, end: number): boolean {
    const headerLength = (view.getUint8(at) & 0x0f) * 4;
    // With options the destination may not be the end, see `decodeIpv4`.
    if (headerLength !== IPV4_LENGTH || view.getUint8(at + IPV4_PROTOCOL) !== TCP) return true;
    if ((view.getUint16(at + IPV4_FRAGMENT) & IPV4_FRAGMENT_BITS) !== 0) return true;
    const tcp = at + headerLength;
    if (tcp + TCP_LENGTH > end) return true;
    const flags = view.getUint8(tcp + TCP_FLAGS);
    if ((flags & (TcpFlag.SYN | TcpFlag.RST)) !== 0) return true;
    const source = view.getInt32(at + IPV4_SOURCE);
    const destination = view.getInt32(at + IPV4_DESTINATION);
    return this.#belongs(view, tcp, source, destination, view.getInt32(tcp + TCP_PORTS));
  }

  #passesIpv6(view: DataView, at: number, end: number): boolean {
    const tcp = at + IPV6_LENGTH;
    if (tcp + TCP_LENGTH > end || view.getUint8(at + IPV6_NEXT_HEADER) !== TCP) return true;
    const flags = view.getUint8(tcp + TCP_FLAGS);
    if ((flags & (TcpFlag.SYN | TcpFlag.RST)) !== 0) return true;
    const source = foldBytes(view, at + IPV6_SOURCE);
    const destination = foldBytes(view, at + IPV6_DESTINATION);
    return this.#belongs(view, tcp, source, destination, view.getInt32(tcp + TCP_PORTS));
  }

  /**
   * Whether a segment may be the third packet of a handshake, or one of the server that shows what that
   * packet may acknowledge.
   */
  #belongs(
    view: DataView,
    tcp: number,
    source: number,
    destination: number,
    ports: number,
  ): boolean {
    const tag = this.#tag(source, destination, ports);
    const bucket = bucketOf(tag);
    const state = this.#state[bucket];
    if (state === EMPTY) return false;
    const openedNs = this.#doubles[(bucket << BUCKET_DOUBLES_BITS) + OPENED_NS];
    if (this.nowNs - openedNs > KEEP_NS) {
      this.#state[bucket] = EMPTY;
      return false;
    }
    if (state === SHARED) return true;
    const words = this.#words;
    const at = bucket << BUCKET_WORDS_BITS;
    if (words[at + TAG] !== tag) return false;
    if (state === ASKED) {
      const isLower = isLowerEnd(source, destination, ports);
      const isClients = (words[at + CLIENT_IS_LOWER] !== 0) === isLower;
      const isNext = view.getInt32(tcp + TCP_SEQUENCE) === words[at + SEQUENCE];
      if (!isClients || !isNext) return false;
    }
    if (++words[at + PASSED] > PASSED_MAX) this.#state[bucket] = EMPTY;
    return true;
  }

  /**
   * The same for both directions, without a branch by them, which the processor would have to guess.
   * Signed, which is always a small integer to the engine.
   */
  #tag(source: number, destination: number, ports: number): number {
    return this.#endTag(source, ports >>> 16) + this.#endTag(destination, ports & 0xffff) | 0;
  }

  /** So mixed that what a bit changes of one end, a bit of the other takes back by chance alone. */
  #endTag(address: number, port: number): number {
    let hash = Math.imul(address ^ this.#seed, 0x9e3779b1);
    hash = Math.imul(hash ^ hash >>> 15 ^ port, 0x85ebca77);
    hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae3d);
    return hash ^ hash >>> 16;
  }
}

function bucketOf(tag: number): number {
  return tag >>> (32 - BUCKET_BITS);
}

/** Whether the first of two ends is the lower one. @param ports Source port << 16 | destination. */
function isLowerEnd(source: number, destination: number, ports: number): boolean {
  if (source !== destination) return source < destination;
  return ports >>> 16 <= (ports & 0xffff);
}

function linkOf(linkType: number): typeof ETHERNET | undefined {
  switch (linkType) {
    case LinkType.ETHERNET:
      return ETHERNET;
    case LinkType.LINUX_SLL:
      return SLL;
    case LinkType.LINUX_SLL2:
      return SLL2;
    case LinkType.RAW:
    case LinkType.RAW_DLT:
    case LinkType.RAW_DLT_OPENBSD:
      return NONE;
    default:
      return undefined;
  }
}

/** An address as 32 bits: of IPv4 the address itself. */
function fold(words: Uint32Array): number {
  return foldWords(words[0], words[1], words[2], words[3]);
}

function foldBytes(view: DataView, at: number): number {
  return foldWords(
    view.getUint32(at),
    view.getUint32(at + 4),
    view.getUint32(at + 8),
    view.getUint32(at + 12),
  );
}

function foldWords(first: number, second: number, third: number, fourth: number): number {
  return Math.imul(first, 0x27d4eb2f) ^ Math.imul(second, 0x165667b1) ^
    Math.imul(third ^ MAPPED_WORD, 0x2545f491) ^ fourth;
}
