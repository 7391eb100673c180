/**
 * One end of a TCP connection made by hand: sends any segment, right or wrong on purpose, and reads
 * what comes back from the interface, with no kernel's TCP behind it.
 *
 * @module
 */
import { checkResult, lastErrno, libc, memory, SystemCallError } from "../../../src/linux/libc.ts";
import { interfaceIndex } from "../../../src/linux/netns/interfaces.ts";
import { addressesEqual, parseAddress } from "../../../src/wire/address.ts";
import { decodeFrame, FrameVerdict, LinkType } from "../../../src/wire/frame.ts";
import { Segment } from "../../../src/wire/segment.ts";
import {
  buildIpv4,
  buildIpv6,
  buildTcp,
  concat,
  type Ipv4Fields,
  ipv6Fragment,
  type TcpFields,
  tcpOption,
  u16,
  u32,
  type VlanTag,
} from "../../unit/wire/build_frame.ts";
import { FrameSender } from "../frame_sender.ts";
import { inNamespace, type Namespace, until } from "../namespace.ts";
import { DEADLINE_MS } from "./tcp_socket.ts";

/** Where a crafted end stands and whom it talks to. */
export interface CraftedEndOptions {
  namespace: Namespace;
  /** Index of the interface that its frames leave from. */
  interfaceIndex: number;
  /** Ethernet address its frames go to, six bytes. */
  nextHop: Uint8Array;
  address: string;
  port: number;
  peerAddress: string;
  peerPort: number;
}

/** A segment to send: {@link TcpFields}, and what may be wrong or special about it. */
export interface CraftedSegment extends TcpFields {
  /** The TCP checksum is wrong. */
  badChecksum?: boolean;
  /** Fields of the IPv4 header, right or wrong on purpose; its checksum is right unless told. */
  ip?: Ipv4Fields;
  badIpChecksum?: boolean;
  /** Ethernet address that its frame goes to, where that is not the next hop's. */
  to?: Uint8Array;
  /** Sent in two fragments, the first with so many bytes of TCP (a multiple of eight). */
  firstFragmentBytes?: number;
  /** VLAN tags, outermost first. */
  tags?: readonly VlanTag[];
}

/** What was received: the decoder's view of it. */
export interface Received extends Pick<Segment, "sequence" | "acknowledgment" | "flags"> {
  /** Bytes of payload. */
  payloadLength: number;
  /** TSval of the timestamps option, 0 without it. */
  timestamp: number;
}

/** The option area of a segment that carries timestamps alone (RFC 7323 appendix A). */
export function timestamps(value: number, echo: number): Uint8Array {
  return concat(new Uint8Array([1, 1]), tcpOption(8, u32(value, echo)));
}

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ETH_P_ALL = 3;
const EAGAIN = 11;
const FRAME_BYTES_MAX = 2048;
const IPPROTO_TCP = 6;
/** Offset of the checksum in the TCP header, and in the IPv4 header (RFC 9293 3.1, RFC 791 3.1). */
const TCP_CHECKSUM = 16;
const IPV4_CHECKSUM = 10;

const SYMBOLS = {
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags);
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
} as const satisfies Deno.ForeignLibraryInterface;

const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);

/** One crafted end of one connection. */
export class CraftedEnd implements Disposable {
  readonly #options: CraftedEndOptions;
  readonly #source: Uint32Array;
  readonly #destination: Uint32Array;
  readonly #fd: number;
  readonly #frame = memory(FRAME_BYTES_MAX);
  readonly #segment = new Segment();
  readonly #received: Received[] = [];

  /** Hears from now on what its peer sends. */
  constructor(options: CraftedEndOptions) {
    this.#options = options;
    this.#source = wordsOf(options.address);
    this.#destination = wordsOf(options.peerAddress);
    this.#fd = inNamespace(options.namespace.name, () => listen(options.interfaceIndex));
  }

  /** Sends segments in this order, one right after the other. */
  send(...segments: readonly CraftedSegment[]): void {
    this.prepare(...segments)();
  }

  /** Makes ready all that sending takes. @returns What sends them: once, and in no time. */
  prepare(...segments: readonly CraftedSegment[]): () => void {
    const { namespace, interfaceIndex } = this.#options;
    const frames = segments.flatMap((segment) => this.#frames(segment));
    const opened = inNamespace(namespace.name, () => new FrameSender(interfaceIndex));
    return () => {
      using sender = opened;
      for (const frame of frames) sender.send(frame);
    };
  }

  /**
   * Waits for the first segment that has all of these flags and was not taken before; those that
   * came earlier are passed over.
   */
  async receive(flags: number): Promise<Received> {
    let found = -1;
    await until(`a segment with flags ${flags}`, () => {
      this.#drain();
      found = this.#received.findIndex((segment) => (segment.flags & flags) === flags);
      return found >= 0;
    }, DEADLINE_MS);
    const segment = this.#received[found];
    this.#received.splice(0, found + 1);
    return segment;
  }

  #drain(): void {
    const { port, peerPort } = this.#options;
    const segment = this.#segment;
    for (;;) {
      const length = Number(symbols.recv(this.#fd, this.#frame, BigInt(FRAME_BYTES_MAX), 0));
      if (length === -1) {
        if (lastErrno() === EAGAIN) return;
        throw new SystemCallError("recv(AF_PACKET)", lastErrno());
      }
      const view = new DataView(this.#frame.buffer);
      const verdict = decodeFrame(view, 0, length, length, LinkType.ETHERNET, segment);
      if (
        verdict === FrameVerdict.Tcp && segment.destinationPort === port &&
        segment.sourcePort === peerPort &&
        addressesEqual(segment.destination, 0, this.#source, 0) &&
        addressesEqual(segment.source, 0, this.#destination, 0)
      ) {
        const { sequence, acknowledgment, flags, payloadLength, options } = segment;
        const timestamp = options.timestamps ? options.timestampValue : 0;
        this.#received.push({ sequence, acknowledgment, flags, payloadLength, timestamp });
      }
    }
  }

  #identification = 0;

  #frames(segment: CraftedSegment): Uint8Array<ArrayBuffer>[] {
    const { port, peerPort, nextHop } = this.#options;
    const ipv6 = this.#options.address.includes(":");
    const tcp = buildTcp({ sourcePort: port, destinationPort: peerPort, ...segment });
    const checksum = tcpChecksum(this.#source, this.#destination, tcp);
    setU16(tcp, TCP_CHECKSUM, segment.badChecksum ? checksum ^ 0x5555 : checksum);
    const between = { source: this.#source, destination: this.#destination };
    const first = segment.firstFragmentBytes;
    const parts = first === undefined ? [tcp] : [tcp.subarray(0, first), tcp.subarray(first)];
    // Every packet has another, as a host gives it: the same again would be a copy on the way.
    const identification = ++this.#identification & 0xffff;
    const packets = parts.map((payload, index) => {
      const moreFragments = index + 1 < parts.length;
      const fragmentOffset = index * (first ?? 0) / 8;
      if (!ipv6) {
        const ip = { identification, ...segment.ip };
        return buildIpv4({ ...between, payload, moreFragments, fragmentOffset, ...ip });
      }
      const extensions = first === undefined ? [] : [ipv6Fragment(fragmentOffset, moreFragments)];
      return buildIpv6({ ...between, payload, extensions });
    });
    return packets.map((packet) => {
      if (!ipv6) {
        const sum = internetChecksum(packet, (packet[0] & 0x0f) * 4);
        setU16(packet, IPV4_CHECKSUM, segment.badIpChecksum ? sum ^ 0x1111 : sum);
      }
      const etherType = u16(ipv6 ? 0x86dd : 0x0800);
      const tags = (segment.tags ?? []).map((tag) => u16(tag.etherType, tag.tci));
      const own = new Uint8Array([2, 0, 0, 0, 0, 9]);
      const frame = concat(segment.to ?? nextHop, own, ...tags, etherType, packet);
      const bytes = memory(frame.length);
      bytes.set(frame);
      return bytes;
    });
  }

  /** Hears no more. */
  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}

function listen(interfaceIndex: number): number {
  const type = SOCK_RAW | SOCK_NONBLOCK;
  const fd = checkResult(libc().socket(AF_PACKET, type, 0), "socket(AF_PACKET)");
  const on = new Uint8Array(new Int32Array([1]).buffer);
  checkResult(
    libc().setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, on, on.length),
    "setsockopt(PACKET_IGNORE_OUTGOING)",
  );
  const address = memory(20); // struct sockaddr_ll
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL);
  view.setInt32(4, interfaceIndex, true);
  checkResult(libc().bind(fd, address, address.length), "bind(AF_PACKET)");
  return fd;
}

function wordsOf(address: string): Uint32Array {
  const words = parseAddress(address);
  if (words === undefined) throw new TypeError(`Cannot use "${address}": it is no address`);
  return words;
}

function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Over the segment and the pseudo header of RFC 8200, 8.1, whose sum IPv4's is too. */
function tcpChecksum(source: Uint32Array, destination: Uint32Array, tcp: Uint8Array): number {
  const ipv4 = source[2] === 0xffff && source[0] === 0 && source[1] === 0;
  const words = ipv4 ? [source[3], destination[3]] : [...source, ...destination];
  const halves = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const bytes = concat(u16(...halves, tcp.length, IPPROTO_TCP), tcp);
  return internetChecksum(bytes, bytes.length);
}

/** RFC 1071 over the first bytes. */
function internetChecksum(bytes: Uint8Array, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at += 2) {
    sum += bytes[at] << 8 | (at + 1 < length ? bytes[at + 1] : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The address of an interface in Ethernet. */
export async function macOf(namespace: Namespace, name: string): Promise<Uint8Array> {
  const [link] = JSON.parse(await namespace.ip("-j", "link", "show", name));
  return Uint8Array.from(link.address.split(":"), (byte: string) => parseInt(byte, 16));
}

/**
 * Lays a cable between two namespaces, at the client's end of which a host is made up: nobody else answers
 * for it.
 *
 * @param ghost Its IPv4 address, of 10.77.0.0/24. @param address The server's.
 * @returns What a {@link CraftedEnd} needs to know of the cable.
 */
export async function layGhostCable(
  client: Namespace,
  server: Namespace,
  ghost: string,
  address: string,
): Promise<{ namespace: Namespace; interfaceIndex: number; nextHop: Uint8Array }> {
  const addresses = { here: "10.77.0.1/24", there: `${address}/24` };
  const [here, there] = await client.connect(server, addresses);
  const text = [...await macOf(client, here)].map((byte) => byte.toString(16).padStart(2, "0"));
  await server.ip("neigh", "replace", ghost, "lladdr", text.join(":"), "dev", there);
  const index = inNamespace(client.name, () => interfaceIndex(here)!);
  return { namespace: client, interfaceIndex: index, nextHop: await macOf(server, there) };
}
