/**
 * What the kernel tells of network interfaces: messages of rtnetlink(7), of one namespace each.
 *
 * @module
 */

/** linux/rtnetlink.h */
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
/** linux/netlink.h: the end of an answer, and a refusal. */
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** `struct nlmsghdr` (linux/netlink.h). */
const HEADER_SIZE = 16;
const HEADER_LENGTH = 0;
const HEADER_TYPE = 4;

/** `struct ifinfomsg` (linux/rtnetlink.h), behind the header. */
const INFO_SIZE = 16;
const INFO_FAMILY = 0;
const INFO_INDEX = 4;
const INFO_FLAGS = 8;
/** linux/if.h */
const IFF_UP = 1;

/** `struct rtattr`: length with its own four bytes, and type, of which two bits are flags. */
const ATTRIBUTE_SIZE = 4;
const ATTRIBUTE_TYPE = 0x3fff;
/** linux/if_link.h */
const IFLA_IFNAME = 3;
const IFLA_PROP_LIST = 52;
const IFLA_ALT_IFNAME = 53;

/** An interface as a message tells of it. */
export interface Link {
  /** The kernel's index, unique in the namespace for as long as it is there. */
  index: number;
  /** Untrusted text. */
  name: string;
  /** Other names of it (`ip link property`). */
  otherNames: readonly string[];
  /** Whether it was set up, be there a carrier or not. */
  isUp: boolean;
}

/** What a message says of an interface. */
export interface LinkMessage {
  link: Link;
  /** That it is gone; otherwise that it is there, as it is now. */
  isGone: boolean;
}

/** What was read. */
export interface LinkMessages {
  messages: LinkMessage[];
  /** Whether an answer ends here. */
  isEnd: boolean;
}

/**
 * Reads messages. What is not understood is left out.
 *
 * @param view As many bytes as were received.
 */
export function parseLinkMessages(view: DataView): LinkMessages {
  const read: LinkMessages = { messages: [], isEnd: false };
  for (let at = 0; at + HEADER_SIZE <= view.byteLength;) {
    const length = view.getUint32(at + HEADER_LENGTH, true);
    if (length < HEADER_SIZE || at + length > view.byteLength) break;
    const type = view.getUint16(at + HEADER_TYPE, true);
    if (type === NLMSG_DONE || type === NLMSG_ERROR) read.isEnd = true;
    const isLink = type === RTM_NEWLINK || type === RTM_DELLINK;
    const link = isLink ? parseLink(view, at + HEADER_SIZE, at + length) : undefined;
    if (link) read.messages.push({ link, isGone: type === RTM_DELLINK });
    at += align(length);
  }
  return read;
}

function parseLink(view: DataView, at: number, end: number): Link | undefined {
  if (at + INFO_SIZE > end) return undefined;
  // Bridges tell of their ports in messages of the same types: one that leaves its bridge is not gone.
  if (view.getUint8(at + INFO_FAMILY) !== 0) return undefined;
  let name: string | undefined;
  const otherNames: string[] = [];
  for (const [type, from, to] of attributes(view, at + INFO_SIZE, end)) {
    if (type === IFLA_IFNAME) name = text(view, from, to);
    if (type !== IFLA_PROP_LIST) continue;
    for (const [property, start, stop] of attributes(view, from, to)) {
      if (property === IFLA_ALT_IFNAME) otherNames.push(text(view, start, stop));
    }
  }
  if (name === undefined) return undefined;
  return {
    index: view.getInt32(at + INFO_INDEX, true),
    name,
    otherNames,
    isUp: (view.getUint32(at + INFO_FLAGS, true) & IFF_UP) !== 0,
  };
}

function* attributes(
  view: DataView,
  at: number,
  end: number,
): Generator<[type: number, from: number, to: number]> {
  while (at + ATTRIBUTE_SIZE <= end) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_SIZE || at + length > end) return;
    yield [view.getUint16(at + 2, true) & ATTRIBUTE_TYPE, at + ATTRIBUTE_SIZE, at + length];
    at += align(length);
  }
}

/** Text up to its terminating zero. */
function text(view: DataView, from: number, to: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + from, to - from);
  const zero = bytes.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? bytes : bytes.subarray(0, zero));
}

/** NLMSG_ALIGN, RTA_ALIGN: to four bytes. */
function align(length: number): number {
  return (length + 3) & ~3;
}
