/**
 * Frames of a TPACKET_V3 ring (linux/if_packet.h): the header before each, and the packet behind it.
 *
 * @module
 */

import { EtherType } from "../../wire/network.ts";

// `struct tpacket3_hdr`, followed by `struct sockaddr_ll` at offset 48.

/** Where a frame says how far behind it the next one begins. */
export const FRAME_NEXT_OFFSET = 0;
/** Where it has its time: whole seconds of Unix time. */
export const FRAME_SEC = 4;
/** Nanoseconds beyond them. */
export const FRAME_NSEC = 8;
const FRAME_SNAPLEN = 12;
const FRAME_LEN = 16;
const FRAME_STATUS = 20;
const FRAME_NET = 26;
const FRAME_VLAN_TCI = 32;
const FRAME_LL_PROTOCOL = 50;
const FRAME_LL_IFINDEX = 52;
const FRAME_LL_PKTTYPE = 58;
const TP_STATUS_VLAN_VALID = 0x10;
const TP_STATUS_CSUM = 0x88; // CSUMNOTREADY or CSUM_VALID
const VLAN_ID = 0xfff;
const VLAN_TAG_LENGTH = 4;

/**
 * The frame of a ring that is handed over. One object is filled anew for each frame: copy what must
 * outlive the call that it is handed to.
 */
export class RingFrame {
  /** The ring's memory; detached once the ring is closed. */
  readonly view: DataView<ArrayBuffer>;
  /** Offset of the IP header. */
  networkOffset = 0;
  /** Offset behind the last byte captured. */
  capturedEnd = 0;
  /**
   * Bytes of the packet from the IP header on, link-layer padding included; more than an MTU where the
   * stack has merged or not yet split segments.
   */
  originalLength = 0;
  /** EtherType of the IP header. */
  protocol = 0;
  /** The interface that it was seen on. */
  interfaceIndex = 0;
  /** One of `PacketType`. */
  packetType = 0;
  /** VLAN of the outer tag; -1 without one. */
  vlanId = -1;
  /** When: whole seconds of Unix time (CLOCK_REALTIME). */
  seconds = 0;
  /** Nanoseconds beyond them. */
  nanoseconds = 0;
  /** Whether its checksums are finished, and nobody has found them right yet. */
  mayJudgeChecksums = false;
  /** The ring's memory as words. */
  readonly #words: Uint32Array<ArrayBuffer>;

  /** Holds no frame yet. @param memory That of the ring. */
  constructor(memory: ArrayBuffer) {
    this.view = new DataView(memory);
    this.#words = new Uint32Array(memory);
  }

  /** Takes the frame whose header begins at an offset. */
  fill(at: number): void {
    const { view } = this;
    const words = this.#words;
    const status = words[(at + FRAME_STATUS) >>> 2];
    const isTagged = (status & TP_STATUS_VLAN_VALID) !== 0;
    this.networkOffset = at + view.getUint16(at + FRAME_NET, true);
    this.capturedEnd = this.networkOffset + words[(at + FRAME_SNAPLEN) >>> 2];
    this.originalLength = words[(at + FRAME_LEN) >>> 2];
    this.protocol = view.getUint16(at + FRAME_LL_PROTOCOL);
    this.interfaceIndex = view.getInt32(at + FRAME_LL_IFINDEX, true);
    this.packetType = view.getUint8(at + FRAME_LL_PKTTYPE);
    this.vlanId = isTagged ? words[(at + FRAME_VLAN_TCI) >>> 2] & VLAN_ID : -1;
    this.seconds = words[(at + FRAME_SEC) >>> 2];
    this.nanoseconds = words[(at + FRAME_NSEC) >>> 2];
    this.mayJudgeChecksums = (status & TP_STATUS_CSUM) === 0;
    if (isTagged || isTag(this.protocol)) this.#passTag();
  }

  /**
   * Whether the data still starts with a tag, the protocol does not tell: before Linux 6.11 it is the
   * tag's, since then that of the header behind it. So looks for an IP header behind a tag, as
   * bpf/handshake_filter.c does.
   */
  #passTag(): void {
    const { view, networkOffset } = this;
    const captured = this.capturedEnd - networkOffset;
    const inner = captured > VLAN_TAG_LENGTH ? view.getUint16(networkOffset + 2) : 0;
    const version = captured > VLAN_TAG_LENGTH
      ? view.getUint8(networkOffset + VLAN_TAG_LENGTH) >>> 4
      : 0;
    if (inner === EtherType.IPV4 && version === 4 || inner === EtherType.IPV6 && version === 6) {
      this.networkOffset += VLAN_TAG_LENGTH;
      this.originalLength -= VLAN_TAG_LENGTH;
      this.protocol = inner;
    } else if (isTag(this.protocol)) {
      const isIpv6 = captured > 0 && view.getUint8(networkOffset) >>> 4 === 6;
      this.protocol = isIpv6 ? EtherType.IPV6 : EtherType.IPV4;
    }
  }
}

function isTag(protocol: number): boolean {
  return protocol === EtherType.VLAN || protocol === EtherType.SERVICE_VLAN;
}

/** Takes each frame during the call; see {@linkcode RingFrame} for what may be kept. */
export type FrameHandler = (frame: RingFrame) => void;
