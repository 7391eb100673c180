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
 * Receives one frame. `view` is the ring itself: valid during the call only, and detached once the
 * ring is closed.
 *
 * @param view the ring's memory.
 * @param networkOffset where the IP header starts in `view`.
 * @param capturedEnd where the captured bytes end in `view`.
 * @param originalLength bytes of the packet from the IP header on, link-layer padding included; more
 * than an MTU where the stack has merged or not yet split segments.
 * @param protocol the ethertype of the network header.
 * @param interfaceIndex the interface it was seen on.
 * @param packetType 0 to this host, 1 broadcast, 2 multicast, 3 to another host, 4 sent by this host
 * (linux/if_packet.h).
 * @param vlanId the VLAN of the (outer) tag, -1 without one.
 * @param seconds whole seconds of Unix time (CLOCK_REALTIME).
 * @param nanoseconds 0 to 999,999,999.
 * @param mayJudgeChecksums Whether its checksums are finished, and nobody has found them right yet.
 */
export type FrameHandler = (
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
  mayJudgeChecksums: boolean,
) => void;

/**
 * Hands a frame to a handler.
 *
 * @param view The ring. @param words The same as words. @param frame Where the frame begins.
 */
export function deliver(
  view: DataView<ArrayBuffer>,
  words: Uint32Array<ArrayBuffer>,
  frame: number,
  onFrame: FrameHandler,
): void {
  const captured = words[(frame + FRAME_SNAPLEN) >>> 2];
  const status = words[(frame + FRAME_STATUS) >>> 2];
  const tagged = (status & TP_STATUS_VLAN_VALID) !== 0;
  let network = frame + view.getUint16(frame + FRAME_NET, true);
  let length = words[(frame + FRAME_LEN) >>> 2];
  let protocol = view.getUint16(frame + FRAME_LL_PROTOCOL);
  const end = network + captured;
  if (tagged || protocol === EtherType.VLAN || protocol === EtherType.SERVICE_VLAN) {
    // Whether the data still starts with a tag, the protocol does not tell: before Linux 6.11 it is
    // the tag's, since then that of the header behind it. So look for an IP header behind a tag, as
    // bpf/handshake_filter.c does.
    const inner = captured > VLAN_TAG_LENGTH ? view.getUint16(network + 2) : 0;
    const version = captured > VLAN_TAG_LENGTH ? view.getUint8(network + VLAN_TAG_LENGTH) >>> 4 : 0;
    if (
      (inner === EtherType.IPV4 && version === 4) || (inner === EtherType.IPV6 && version === 6)
    ) {
      network += VLAN_TAG_LENGTH;
      length -= VLAN_TAG_LENGTH;
      protocol = inner;
    } else if (protocol === EtherType.VLAN || protocol === EtherType.SERVICE_VLAN) {
      protocol = captured > 0 && view.getUint8(network) >>> 4 === 6
        ? EtherType.IPV6
        : EtherType.IPV4;
    }
  }
  onFrame(
    view,
    network,
    end,
    length,
    protocol,
    view.getInt32(frame + FRAME_LL_IFINDEX, true),
    view.getUint8(frame + FRAME_LL_PKTTYPE),
    tagged ? words[(frame + FRAME_VLAN_TCI) >>> 2] & VLAN_ID : -1,
    words[(frame + FRAME_SEC) >>> 2],
    words[(frame + FRAME_NSEC) >>> 2],
    (status & TP_STATUS_CSUM) === 0,
  );
}
