/**
 * Crafted packets: built as bytes, and sent as Ethernet frames from a raw socket.
 *
 * @module
 */
import { checkResult, libc, memory } from "../../src/linux/libc.ts";

/** TCP flag bits (RFC 9293, 3.1). */
export const TCP = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 0x10, synAck: 0x12 } as const;

/** IPv6 extension headers by number (RFC 8200, 4). */
export const EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, destination: 60 } as const;

/** What to put in a packet; what is left out is a SYN over IPv4 between two documentation addresses. */
export interface Segment {
  /** 4 or 6. */
  version?: 4 | 6;
  /** The packet goes from the server's address and port to the client's. */
  fromServer?: boolean;
  /** The last number of the client's address, 1 unless given; the server's is 2. */
  client?: number;
  /** The client's port; the server's is 443. */
  clientPort?: number;
  /** TCP Seq. */
  sequence?: number;
  /** TCP Ack. */
  acknowledgment?: number;
  /** TCP flags, low eight bits. */
  flags?: number;
  /** The TCP window. */
  window?: number;
  /** Bytes of TCP options, a multiple of four; filled with no-ops. */
  optionBytes?: number;
  /** Bytes of payload. */
  payloadBytes?: number;
  /** Bytes of IPv4 options, a multiple of four; filled with no-ops. */
  ipv4OptionBytes?: number;
  /** IPv4 fragment offset in units of eight bytes. */
  fragmentOffset?: number;
  /** The protocol number, TCP unless given. */
  protocol?: number;
  /** IPv6 extension headers before TCP: type, length in bytes, and for a fragment its offset. */
  extensions?: { type: number; bytes?: number; fragmentOffset?: number }[];
}

const IPPROTO_TCP = 6;
const SERVER_PORT = 443;

/** The bytes of a packet from its IP header on; checksums are zero. */
export function ipPacket(segment: Segment): Uint8Array<ArrayBuffer> {
  const version = segment.version ?? 4;
  const extensions = segment.extensions ?? [];
  const ipBytes = version === 4
    ? 20 + (segment.ipv4OptionBytes ?? 0)
    : 40 + extensions.reduce((sum, { bytes }) => sum + (bytes ?? 8), 0);
  const tcpBytes = 20 + (segment.optionBytes ?? 0);
  const packet = memory(ipBytes + tcpBytes + (segment.payloadBytes ?? 0));
  const view = new DataView(packet.buffer);
  const protocol = segment.protocol ?? IPPROTO_TCP;
  const [client, server] = [segment.client ?? 1, 2];
  const [source, destination] = segment.fromServer ? [server, client] : [client, server];
  if (version === 4) {
    packet.fill(1, 20, ipBytes);
    view.setUint8(0, 0x40 | ipBytes / 4);
    view.setUint16(2, packet.length);
    view.setUint16(6, segment.fragmentOffset ?? 0);
    view.setUint8(8, 64);
    view.setUint8(9, protocol);
    view.setUint32(12, 0xc0000200 + source);
    view.setUint32(16, 0xc0000200 + destination);
  } else {
    view.setUint8(0, 0x60);
    view.setUint16(4, packet.length - 40);
    view.setUint8(6, extensions[0]?.type ?? protocol);
    view.setUint8(7, 64);
    view.setUint32(8, 0x20010db8);
    view.setUint32(20, source);
    view.setUint32(24, 0x20010db8);
    view.setUint32(36, destination);
    let at = 40;
    extensions.forEach(({ type, bytes, fragmentOffset }, index) => {
      view.setUint8(at, extensions[index + 1]?.type ?? protocol);
      if (type === EXTENSION.fragment) view.setUint16(at + 2, (fragmentOffset ?? 0) << 3);
      else view.setUint8(at + 1, (bytes ?? 8) / 8 - 1);
      at += bytes ?? 8;
    });
  }
  const clientPort = segment.clientPort ?? 40000;
  view.setUint16(ipBytes, segment.fromServer ? SERVER_PORT : clientPort);
  view.setUint16(ipBytes + 2, segment.fromServer ? clientPort : SERVER_PORT);
  view.setUint32(ipBytes + 4, segment.sequence ?? 0);
  view.setUint32(ipBytes + 8, segment.acknowledgment ?? 0);
  view.setUint8(ipBytes + 12, tcpBytes / 4 << 4);
  view.setUint8(ipBytes + 13, segment.flags ?? TCP.syn);
  view.setUint16(ipBytes + 14, segment.window ?? 64240);
  packet.fill(1, ipBytes + 20, ipBytes + tcpBytes);
  return packet;
}

/** An ICMP message that quotes a packet, from a router; its checksum is zero. */
export function icmpPacket(
  version: 4 | 6,
  type: number,
  code: number,
  quoted: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const outer = ipPacket({ version, fromServer: true, protocol: version === 4 ? 1 : 58 });
  const header = version === 4 ? 20 : 40;
  const packet = memory(header + 8 + quoted.length);
  packet.set(outer.subarray(0, header));
  packet.set([type, code], header);
  packet.set(quoted, header + 8);
  const view = new DataView(packet.buffer);
  if (version === 4) view.setUint16(2, packet.length);
  else view.setUint16(4, packet.length - header);
  return packet;
}

/** One VLAN tag: the ethertype that announces it and the VLAN with its priority bits. */
export interface VlanTag {
  /** 0x8100 (802.1Q) or 0x88a8 (802.1ad). */
  tpid: number;
  /** Priority, drop eligibility and VLAN identifier. */
  tci: number;
}

/** The Ethernet frame around `packet`, from and to made-up addresses, outermost tag first. */
export function ethernetFrame(
  packet: Uint8Array,
  tags: readonly VlanTag[] = [],
): Uint8Array<ArrayBuffer> {
  const frame = memory(14 + tags.length * 4 + packet.length);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8]);
  let at = 12;
  for (const { tpid, tci } of tags) {
    view.setUint16(at, tpid);
    view.setUint16(at + 2, tci);
    at += 4;
  }
  view.setUint16(at, packet[0] >>> 4 === 4 ? 0x0800 : 0x86dd);
  frame.set(packet, at + 2);
  return frame;
}

const AF_PACKET = 17;
const SOCK_RAW = 3;

/** cpu_set_t with room for 1024 CPUs (sched.h). */
const CPU_SET_BYTES = 128;
const CURRENT_THREAD = 0;

/** The C functions only a sender needs. */
const SYMBOLS = {
  // ssize_t send(int sockfd, const void *buf, size_t len, int flags);
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  // int sched_getaffinity(pid_t pid, size_t cpusetsize, cpu_set_t *mask);
  sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int sched_setaffinity(pid_t pid, size_t cpusetsize, const cpu_set_t *mask);
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Sends frames out of one interface, in order. Open it with `inNamespace`, as its socket stays where it
 * was made. Virtual Ethernet queues frames for the CPU they were sent from, and frames on two queues may
 * overtake each other: so this thread keeps to one CPU until the sender is disposed.
 */
export class FrameSender implements Disposable {
  readonly #fd: number;
  readonly #library = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #allowedCpus = memory(CPU_SET_BYTES);

  constructor(interfaceIndex: number) {
    this.#fd = checkResult(libc().socket(AF_PACKET, SOCK_RAW, 0), "socket(AF_PACKET)");
    const address = memory(20); // struct sockaddr_ll
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setInt32(4, interfaceIndex, true);
    checkResult(libc().bind(this.#fd, address, address.length), "bind(AF_PACKET)");

    checkResult(
      this.#library.symbols.sched_getaffinity(
        CURRENT_THREAD,
        BigInt(CPU_SET_BYTES),
        this.#allowedCpus,
      ),
      "sched_getaffinity()",
    );
    const oneCpu = memory(CPU_SET_BYTES);
    const byte = this.#allowedCpus.findIndex((bits) => bits !== 0);
    oneCpu[byte] = this.#allowedCpus[byte] & -this.#allowedCpus[byte];
    this.#keepTo(oneCpu);
  }

  /** Sends one frame. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    checkResult(this.#library.symbols.send(this.#fd, frame, BigInt(frame.length), 0), "send()");
  }

  /** Sends the packet described, in an untagged frame. */
  sendSegment(segment: Segment): void {
    this.send(ethernetFrame(ipPacket(segment)));
  }

  [Symbol.dispose](): void {
    this.#keepTo(this.#allowedCpus);
    libc().close(this.#fd);
    this.#library.close();
  }

  #keepTo(cpus: Uint8Array<ArrayBuffer>): void {
    checkResult(
      this.#library.symbols.sched_setaffinity(CURRENT_THREAD, BigInt(CPU_SET_BYTES), cpus),
      "sched_setaffinity()",
    );
  }
}
