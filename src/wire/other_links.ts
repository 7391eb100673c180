/**
 * Link layers that are met now and then: FDDI, IP over InfiniBand, ARCnet, and the headers of OpenBSD's
 * packet filter and of Apple's.
 *
 * @module
 */
import { decodeIpv4 } from "./ipv4.ts";
import { decodeIpv6 } from "./ipv6.ts";
import { decodeLlc } from "./llc.ts";
import { isIpv6Family } from "./loopback.ts";
import { decodeEtherType } from "./network.ts";
import type { Segment } from "./segment.ts";
import { enterTunnel, Tunnel } from "./tunnel_names.ts";
import { FrameVerdict } from "./verdict.ts";

/** FDDI (ANSI X3.139): frame control, both addresses, then LLC where the control's upper bits say so. */
const FDDI_CONTROL = 0;
const FDDI_CONTROL_MASK = 0xf0;
const FDDI_LLC = 0x50;
const FDDI_LENGTH = 13;

/** IPoIB: 40 bytes for a global route header, then EtherType and a reserved field (RFC 4391 §6). */
const IPOIB_ETHERTYPE = 40;
const IPOIB_LENGTH = 44;

/** ARCnet (RFC 1201, RFC 1051): source, destination, on Linux an offset, type; flag and sequence. */
const ARCNET_TYPE = 2;
const ARCNET_LINUX_TYPE = 4;
const ARCNET_OLD_IP = 240;
const ARCNET_IP = 212;
const ARCNET_IPV6 = 196;
const ARCNET_NEW_LENGTH = 3;
/** Flag of an exception frame, behind which type, flag and sequence stand once more. */
const ARCNET_EXCEPTION = 0xff;
const ARCNET_EXCEPTION_LENGTH = 4;

/** `struct pfloghdr` of OpenBSD's net/if_pflog.h: its length, which is then filled up, and family. */
const PFLOG_LENGTH = 0;
const PFLOG_FAMILY = 1;
const PFLOG_LENGTH_MIN = 48;
const AF_INET = 2;

/** `struct pktap_header` of Apple's net/pktap.h, in the host's order: length, record, link type. */
const PKTAP_LENGTH = 0;
const PKTAP_RECORD = 4;
const PKTAP_LINK_TYPE = 8;
const PKTAP_LENGTH_MIN = 12;
const PKTAP_LENGTH_MAX = 0xffff;
const PKTAP_RECORD_PACKET = 1;

/**
 * Decodes an FDDI frame.
 *
 * @param view Bytes.
 * @param at Offset of the frame control.
 * @param capturedEnd Offset behind the last byte captured, within `view`.
 * @param originalEnd Offset behind the last byte of the frame as it was on the wire.
 * @param segment Filled.
 */
export function decodeFddi(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + FDDI_LENGTH > capturedEnd) return FrameVerdict.TruncatedLink;
  if ((view.getUint8(at + FDDI_CONTROL) & FDDI_CONTROL_MASK) !== FDDI_LLC) {
    return FrameVerdict.NotIp;
  }
  return decodeLlc(view, at + FDDI_LENGTH, capturedEnd, originalEnd, Tunnel.FDDI, segment);
}

/** Decodes IP over InfiniBand; the parameters are those of {@linkcode decodeFddi}. */
export function decodeIpoib(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  const packet = at + IPOIB_LENGTH;
  if (packet > capturedEnd) return FrameVerdict.TruncatedLink;
  enterTunnel(segment, Tunnel.IPOIB);
  const type = view.getUint16(at + IPOIB_ETHERTYPE);
  return decodeEtherType(view, packet, capturedEnd, originalEnd, type, segment);
}

/**
 * Decodes an ARCnet frame that is not the middle or last part of a packet; the other parameters are
 * those of {@linkcode decodeFddi}.
 *
 * @param isLinux Whether it has Linux' form of header.
 */
export function decodeArcnet(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  isLinux: boolean,
  segment: Segment,
): FrameVerdict {
  const typeAt = at + (isLinux ? ARCNET_LINUX_TYPE : ARCNET_TYPE);
  if (typeAt + 2 > capturedEnd) return FrameVerdict.TruncatedLink;
  const type = view.getUint8(typeAt);
  if (type !== ARCNET_OLD_IP && type !== ARCNET_IP && type !== ARCNET_IPV6) {
    return FrameVerdict.NotIp;
  }
  let packet = typeAt + 1;
  if (type !== ARCNET_OLD_IP) {
    const flag = view.getUint8(packet);
    packet += ARCNET_NEW_LENGTH;
    if (!isLinux && flag === ARCNET_EXCEPTION) packet += ARCNET_EXCEPTION_LENGTH;
    else if (!isLinux && flag !== 0) return FrameVerdict.NotIp;
  }
  enterTunnel(segment, Tunnel.ARCNET);
  return type === ARCNET_IPV6
    ? decodeIpv6(view, packet, capturedEnd, originalEnd, segment)
    : decodeIpv4(view, packet, capturedEnd, originalEnd, segment);
}

/** Decodes a packet logged by OpenBSD's packet filter; the parameters are those of {@linkcode decodeFddi}. */
export function decodePflog(
  view: DataView,
  at: number,
  capturedEnd: number,
  originalEnd: number,
  segment: Segment,
): FrameVerdict {
  if (at + PFLOG_LENGTH_MIN > capturedEnd) return FrameVerdict.TruncatedLink;
  const length = view.getUint8(at + PFLOG_LENGTH);
  if (length < PFLOG_LENGTH_MIN) return FrameVerdict.BadHeaderLength;
  const packet = at + Math.ceil(length / 4) * 4;
  const family = view.getUint8(at + PFLOG_FAMILY);
  if (family === AF_INET) return decodeIpv4(view, packet, capturedEnd, originalEnd, segment);
  if (!isIpv6Family(family)) return FrameVerdict.NotIp;
  return decodeIpv6(view, packet, capturedEnd, originalEnd, segment);
}

/** What an Apple packet tap's header says. */
export interface PktapHeader {
  /** Offset of the frame; -1 where there is none, for the reason of `verdict`. */
  frame: number;
  verdict: FrameVerdict;
  /** Link type of the frame. */
  linkType: number;
}

/** Reads the header of Apple's packet tap, which may come in either byte order. */
export function readPktap(view: DataView, at: number, capturedEnd: number): Readonly<PktapHeader> {
  const none = { frame: -1, linkType: -1 };
  if (at + PKTAP_LENGTH_MIN > capturedEnd) return { ...none, verdict: FrameVerdict.TruncatedLink };
  const littleEndian = view.getUint32(at + PKTAP_LENGTH) > PKTAP_LENGTH_MAX;
  const length = view.getUint32(at + PKTAP_LENGTH, littleEndian);
  if (length < PKTAP_LENGTH_MIN || length > PKTAP_LENGTH_MAX) {
    return { ...none, verdict: FrameVerdict.BadHeaderLength };
  }
  if (view.getUint32(at + PKTAP_RECORD, littleEndian) !== PKTAP_RECORD_PACKET) {
    return { ...none, verdict: FrameVerdict.NotIp };
  }
  if (at + length > capturedEnd) return { ...none, verdict: FrameVerdict.TruncatedLink };
  const linkType = view.getUint32(at + PKTAP_LINK_TYPE, littleEndian);
  return { frame: at + length, verdict: FrameVerdict.NotIp, linkType };
}
