/**
 * ICMP and ICMPv6 errors: what a host or router says of a packet that it could not deliver.
 *
 * @module
 */
import { Segment } from "./segment.ts";

/** Types of the errors that say that a packet reached nobody (RFC 792, RFC 4443 section 3). */
export const IcmpType = {
  DEST_UNREACH: 3,
  TIME_EXCEEDED: 11,
  V6_DEST_UNREACH: 1,
  V6_TIME_EXCEED: 3,
} as const;

/** Codes of "destination unreachable" by their symbols in linux/icmp.h. */
const DEST_UNREACH: readonly (string | undefined)[] = [
  "ICMP_NET_UNREACH",
  "ICMP_HOST_UNREACH",
  "ICMP_PROT_UNREACH",
  "ICMP_PORT_UNREACH",
  // ICMP_FRAG_NEEDED says that the packet was too long: the sender makes it shorter and goes on.
  undefined,
  "ICMP_SR_FAILED",
  "ICMP_NET_UNKNOWN",
  "ICMP_HOST_UNKNOWN",
  "ICMP_HOST_ISOLATED",
  "ICMP_NET_ANO",
  "ICMP_HOST_ANO",
  "ICMP_NET_UNR_TOS",
  "ICMP_HOST_UNR_TOS",
  "ICMP_PKT_FILTERED",
  "ICMP_PREC_VIOLATION",
  "ICMP_PREC_CUTOFF",
];
/** The same over IPv6, by their symbols in linux/icmpv6.h. */
const V6_DEST_UNREACH: readonly string[] = [
  "ICMPV6_NOROUTE",
  "ICMPV6_ADM_PROHIBITED",
  "ICMPV6_NOT_NEIGHBOUR",
  "ICMPV6_ADDR_UNREACH",
  "ICMPV6_PORT_UNREACH",
  "ICMPV6_POLICY_FAIL",
  "ICMPV6_REJECT_ROUTE",
];
const TIME_EXCEEDED: readonly string[] = ["ICMP_EXC_TTL", "ICMP_EXC_FRAGTIME"];
const V6_TIME_EXCEED: readonly string[] = ["ICMPV6_EXC_HOPLIMIT", "ICMPV6_EXC_FRAGTIME"];

const PORT_UNREACH = new Set(["ICMP_PORT_UNREACH", "ICMPV6_PORT_UNREACH"]);

/**
 * An ICMP error with the TCP segment that it quotes. A mutable scratch object like `Segment`: copy what
 * must outlive the next packet.
 */
export class IcmpError {
  /** Whether it is ICMPv6, whose types and codes are others. */
  isIpv6 = false;
  /** Type, 8 bits. */
  type = 0;
  /** Code, 8 bits. */
  code = 0;
  /** Who says so: source address of the ICMP packet, four words, IPv4 as v4-mapped. */
  readonly reporter: Uint32Array = new Uint32Array(4);
  /**
   * The segment that was not delivered. Only addresses, ports and `sequence` are sure to be there: many
   * quote no more than 8 bytes of it (RFC 792). `flags` is 0 where it was not quoted.
   */
  readonly quoted: Segment = new Segment();
}

/**
 * The kernel's symbol of an error that says that a packet reached nobody.
 *
 * @param error Its `isIpv6`, `type` and `code`.
 * @returns As `ICMP_HOST_UNREACH` of linux/icmp.h or `ICMPV6_NOROUTE` of linux/icmpv6.h; undefined
 * where the error says something else, or its code is unknown.
 */
export function unreachableSymbol(
  { isIpv6, type, code }: Pick<IcmpError, "isIpv6" | "type" | "code">,
): string | undefined {
  if (isIpv6) {
    if (type === IcmpType.V6_DEST_UNREACH) return V6_DEST_UNREACH[code];
    return type === IcmpType.V6_TIME_EXCEED ? V6_TIME_EXCEED[code] : undefined;
  }
  if (type === IcmpType.DEST_UNREACH) return DEST_UNREACH[code];
  return type === IcmpType.TIME_EXCEEDED ? TIME_EXCEEDED[code] : undefined;
}

/** Whether a symbol says that the host is there and nobody listens on the port. */
export function isPortUnreachable(symbol: string): boolean {
  return PORT_UNREACH.has(symbol);
}
