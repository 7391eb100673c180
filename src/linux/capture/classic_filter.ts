/**
 * The handshake filter in classic BPF, for where the eBPF one cannot be loaded: it keeps no state, so
 * beside SYN, SYN-ACK and RST it passes every empty ACK, and misses a third packet that carries data.
 *
 * Classic BPF: McCanne and Jacobson, "The BSD Packet Filter" (1993); linux/filter.h, linux/bpf_common.h.
 *
 * @module
 */
import { EtherType } from "../../wire/network.ts";
import { checkResult, libc, memory, Pins } from "../libc.ts";

// asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** `struct sock_fprog { unsigned short len; struct sock_filter *filter; }` (linux/filter.h). */
const FPROG_SIZE = 16;
const FPROG_FILTER = 8;
const SOCK_FILTER_SIZE = 8;

// Instruction classes with size, mode, operation and operand source, combined (linux/bpf_common.h).
const LOAD_WORD = 0x20; // A = u32 at k
const LOAD_HALF = 0x28; // A = u16 at k
const LOAD_BYTE = 0x30; // A = u8 at k
const LOAD_BYTE_X = 0x50; // A = u8 at X + k
const LOAD_SCRATCH = 0x60; // A = M[k]
const LOAD_X = 0x01; // X = k
const LOAD_X_IHL = 0xb1; // X = 4 * (u8 at k & 0xf)
const STORE_SCRATCH = 0x02; // M[k] = A
const ADD = 0x04; // A += k
const ADD_X = 0x0c; // A += X
const SUBTRACT_X = 0x1c; // A -= X
const AND = 0x54; // A &= k
const SHIFT_LEFT = 0x64; // A <<= k
const SHIFT_RIGHT = 0x74; // A >>= k
const A_TO_X = 0x07; // X = A
const JUMP = 0x05; // pc += k
const JUMP_EQUAL = 0x15; // A == k
const JUMP_GREATER = 0x25; // A > k
const JUMP_ANY_BIT = 0x45; // A & k
const RETURN = 0x06; // the number of bytes to capture, 0 to drop

/** SKF_AD_OFF (linux/filter.h): loads from here read the packet's metadata, not its data. */
const ANCILLARY = -0x1000;
const ANCILLARY_PROTOCOL = ANCILLARY;
const ANCILLARY_PACKET_TYPE = ANCILLARY + 4;
const ANCILLARY_INTERFACE = ANCILLARY + 8;

// linux/if_packet.h, linux/in.h, linux/in6.h
const PACKET_OUTGOING = 4;
const LOOPBACK_INDEX = 1;
const IPPROTO_HOPOPTS = 0;
const IPPROTO_ICMP = 1;
const IPPROTO_TCP = 6;
const IPPROTO_ROUTING = 43;
const IPPROTO_FRAGMENT = 44;
const IPPROTO_ICMPV6 = 58;
const IPPROTO_DSTOPTS = 60;

// linux/icmp.h, linux/icmpv6.h
const ICMP_LENGTH = 8;
const ICMP_DEST_UNREACH = 3;
const ICMP_TIME_EXCEEDED = 11;
const ICMPV6_DEST_UNREACH = 1;
const ICMPV6_TIME_EXCEED = 3;
/** In units of 8 bytes: a later fragment behind this holds no part of a TCP header. */
const FRAGMENT_OFFSET_MAX = 15;

const VLAN_TAG_LENGTH = 4;
const IPV6_HEADER_LENGTH = 40;
const FIN = 0x01;
const SYN_OR_RST = 0x06;
const ACK = 0x10;

/** `struct sock_filter { __u16 code; __u8 jt; __u8 jf; __u32 k; }` (linux/filter.h). */
const INSTRUCTION_BYTES = 8;
const SOCK_FILTER_JT = 2;
const SOCK_FILTER_JF = 3;
const SOCK_FILTER_K = 4;

/** A program under construction: jumps name labels, which become distances at the end. */
class Assembler {
  readonly #instructions: { code: number; k: number; yes?: string; no?: string }[] = [];
  readonly #labels = new Map<string, number>();

  /** Appends an instruction that goes on with the next. */
  add(code: number, k = 0): this {
    this.#instructions.push({ code, k });
    return this;
  }

  /** Appends a comparison of A with `k`; without a label it goes on with the next instruction. */
  branch(code: number, k: number, yes?: string, no?: string): this {
    this.#instructions.push({ code, k, yes, no });
    return this;
  }

  /** Appends a jump. */
  jump(label: string): this {
    this.#instructions.push({ code: JUMP, k: 0, yes: label });
    return this;
  }

  /** Names the next instruction. */
  label(name: string): this {
    if (this.#labels.has(name)) throw new RangeError(`Cannot place label "${name}" twice`);
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** The finished `struct sock_filter[]`. */
  assemble(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#instructions.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    this.#instructions.forEach(({ code, k, yes, no }, index) => {
      const at = index * INSTRUCTION_BYTES;
      view.setUint16(at, code, true);
      if (code === JUMP) {
        view.setUint32(at + SOCK_FILTER_K, this.#distance(index, yes, 0xffffffff), true);
      } else {
        view.setUint8(at + SOCK_FILTER_JT, this.#distance(index, yes, 0xff));
        view.setUint8(at + SOCK_FILTER_JF, this.#distance(index, no, 0xff));
        view.setUint32(at + SOCK_FILTER_K, k >>> 0, true);
      }
    });
    return bytes;
  }

  #distance(from: number, label: string | undefined, most: number): number {
    if (label === undefined) return 0;
    const target = this.#labels.get(label);
    if (target === undefined) throw new RangeError(`Cannot jump to "${label}": no such label`);
    const distance = target - from - 1;
    if (distance < 0 || distance > most) {
      throw new RangeError(`Cannot jump to "${label}": it is ${distance} instructions away`);
    }
    return distance;
  }
}

/**
 * The checks of a packet whose IP header starts at `ip`. Labels `v4` and `v6` are the entries; every
 * path ends in a return.
 */
function addIpChecks(program: Assembler, ip: number, label: (name: string) => string): void {
  const tcp = ip; // added to X, which holds the length of the IP headers
  program
    .label(label("v4"))
    .add(LOAD_BYTE, ip + 9)
    .branch(JUMP_EQUAL, IPPROTO_TCP, label("v4 tcp"))
    .branch(JUMP_EQUAL, IPPROTO_ICMP, undefined, label("drop"))
    // An error that says that a TCP segment reached nobody.
    .add(LOAD_X_IHL, ip)
    .add(LOAD_BYTE_X, ip)
    .branch(JUMP_EQUAL, ICMP_DEST_UNREACH, label("icmp"))
    .branch(JUMP_EQUAL, ICMP_TIME_EXCEEDED, undefined, label("drop"))
    .label(label("icmp"))
    .add(LOAD_BYTE_X, ip + ICMP_LENGTH + 9)
    .branch(JUMP_EQUAL, IPPROTO_TCP, label("pass"), label("drop"))
    .label(label("v4 tcp"))
    .add(LOAD_HALF, ip + 6).add(AND, 0x3fff).branch(JUMP_EQUAL, 0, label("v4 whole"))
    // A fragment, of the first bytes or not of them.
    .add(AND, 0x1fff)
    .branch(JUMP_GREATER, FRAGMENT_OFFSET_MAX, label("drop"), label("pass"))
    .label(label("v4 whole"))
    .add(LOAD_HALF, ip + 2).add(STORE_SCRATCH, 0) // M[0] = end of the packet, from `ip`
    .add(LOAD_X_IHL, ip)
    .jump(label("tcp"))
    .label(label("v6"))
    .add(LOAD_HALF, ip + 4).add(ADD, IPV6_HEADER_LENGTH).add(STORE_SCRATCH, 0)
    .add(LOAD_X, IPV6_HEADER_LENGTH)
    .add(LOAD_BYTE, ip + 6)
    .branch(JUMP_EQUAL, IPPROTO_TCP, label("tcp"))
    .branch(JUMP_EQUAL, IPPROTO_HOPOPTS, label("extension"))
    .branch(JUMP_EQUAL, IPPROTO_DSTOPTS, label("extension"))
    .branch(JUMP_EQUAL, IPPROTO_ROUTING, label("extension"))
    .branch(JUMP_EQUAL, IPPROTO_FRAGMENT, label("v6 fragment"))
    .branch(JUMP_EQUAL, IPPROTO_ICMPV6, undefined, label("drop"))
    .add(LOAD_BYTE, ip + IPV6_HEADER_LENGTH)
    .branch(JUMP_EQUAL, ICMPV6_DEST_UNREACH, label("icmpv6"))
    .branch(JUMP_EQUAL, ICMPV6_TIME_EXCEED, undefined, label("drop"))
    .label(label("icmpv6"))
    .add(LOAD_BYTE, ip + IPV6_HEADER_LENGTH + ICMP_LENGTH + 6)
    .branch(JUMP_EQUAL, IPPROTO_TCP, label("pass"), label("drop"))
    .label(label("v6 fragment"))
    .add(LOAD_HALF, ip + IPV6_HEADER_LENGTH + 2).add(AND, 0xfff9)
    .branch(JUMP_EQUAL, 0, label("extension"))
    .add(SHIFT_RIGHT, 3)
    .branch(JUMP_GREATER, FRAGMENT_OFFSET_MAX, label("drop"))
    .add(LOAD_BYTE, ip + IPV6_HEADER_LENGTH)
    .branch(JUMP_EQUAL, IPPROTO_TCP, label("pass"), label("drop"))
    // A fragment header is 8 bytes and has a reserved zero where the others have their length.
    .label(label("extension"))
    .add(LOAD_BYTE, ip + IPV6_HEADER_LENGTH + 1).add(ADD, 1).add(SHIFT_LEFT, 3)
    .add(ADD, IPV6_HEADER_LENGTH).add(A_TO_X)
    .add(LOAD_BYTE, ip + IPV6_HEADER_LENGTH)
    .branch(JUMP_EQUAL, IPPROTO_TCP, undefined, label("drop"))
    .label(label("tcp"))
    .add(LOAD_BYTE_X, tcp + 13)
    .branch(JUMP_ANY_BIT, SYN_OR_RST, label("pass"))
    .branch(JUMP_ANY_BIT, ACK, undefined, label("drop"))
    .branch(JUMP_ANY_BIT, FIN, label("drop"))
    // Empty: the end of the TCP header, from `ip`, is the end of the packet.
    .add(LOAD_BYTE_X, tcp + 12).add(AND, 0xf0).add(SHIFT_RIGHT, 2).add(ADD_X).add(A_TO_X)
    .add(LOAD_SCRATCH, 0).add(SUBTRACT_X)
    .branch(JUMP_EQUAL, 0, label("pass"), label("drop"));
}

/**
 * The program for a packet socket of type SOCK_DGRAM, where offset 0 is the network header: SYN, RST
 * or an empty ACK without FIN, a fragment that may hold a part of a TCP header, or an ICMP error about a
 * TCP segment, over IPv4 or IPv6 with at most one extension header, behind at most one VLAN tag left in the data; the sent copy of a loopback packet is dropped.
 *
 * @param snapLengthBytes how much of a passed packet to capture, from the network header on.
 * @returns `struct sock_filter[]`, 8 bytes an instruction, little endian.
 */
export function classicFilter(snapLengthBytes = 192): Uint8Array<ArrayBuffer> {
  const plain = (name: string) => name;
  const tagged = (name: string) => `tagged ${name}`;
  const program = new Assembler()
    // Loopback is interface 1 in every network namespace and hands each packet over twice.
    .add(LOAD_WORD, ANCILLARY_INTERFACE).branch(JUMP_EQUAL, LOOPBACK_INDEX, undefined, "protocol")
    .add(LOAD_WORD, ANCILLARY_PACKET_TYPE)
    .branch(JUMP_EQUAL, PACKET_OUTGOING, "drop early")
    .label("protocol")
    .add(LOAD_HALF, ANCILLARY_PROTOCOL)
    .branch(JUMP_EQUAL, EtherType.IPV4, "v4")
    .branch(JUMP_EQUAL, EtherType.IPV6, "v6")
    .branch(JUMP_EQUAL, EtherType.VLAN, "tag")
    .branch(JUMP_EQUAL, EtherType.SERVICE_VLAN, "tag", "drop early")
    // The data starts with the inner of two tags (received) or behind the only one (sent).
    .label("tag")
    .add(LOAD_HALF, 2)
    .branch(JUMP_EQUAL, EtherType.IPV4, "tag before v4")
    .branch(JUMP_EQUAL, EtherType.IPV6, "tag before v6", "no tag")
    .label("tag before v4")
    .add(LOAD_BYTE, VLAN_TAG_LENGTH).add(AND, 0xf0)
    .branch(JUMP_EQUAL, 0x40, tagged("v4"), "no tag")
    .label("tag before v6")
    .add(LOAD_BYTE, VLAN_TAG_LENGTH).add(AND, 0xf0)
    .branch(JUMP_EQUAL, 0x60, tagged("v6"))
    .label("no tag")
    .add(LOAD_BYTE, 0).add(AND, 0xf0)
    .branch(JUMP_EQUAL, 0x40, "v4")
    .branch(JUMP_EQUAL, 0x60, "v6")
    .label("drop early").add(RETURN, 0);
  for (const [ip, label] of [[0, plain], [VLAN_TAG_LENGTH, tagged]] as const) {
    addIpChecks(program, ip, label);
    program.label(label("pass")).add(RETURN, snapLengthBytes).label(label("drop")).add(RETURN, 0);
  }
  return program.assemble();
}

/**
 * Attaches the filter to a packet socket.
 *
 * @param socket Its file descriptor.
 * @throws {SystemCallError} when the kernel refuses.
 */
export function attachClassicFilter(socket: number): void {
  using pins = new Pins();
  const program = classicFilter();
  const header = memory(FPROG_SIZE);
  const view = new DataView(header.buffer);
  view.setUint16(0, program.length / SOCK_FILTER_SIZE, true);
  view.setBigUint64(FPROG_FILTER, pins.address(program), true);
  checkResult(
    libc().setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, header, FPROG_SIZE),
    "setsockopt(SO_ATTACH_FILTER)",
  );
}
