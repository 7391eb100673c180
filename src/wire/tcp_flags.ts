/**
 * TCP control bits and what those of a SYN or SYN-ACK say about ECN.
 *
 * @module
 */

/**
 * The control bits of the TCP header (RFC 9293 §3.1), and AE (RFC 9768 §3.1, the former NS bit
 * of RFC 3540) as the ninth.
 */
export const TcpFlag = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
  AE: 0x100,
} as const;

/** The three bits that negotiate ECN and AccECN. */
const ECN_BITS = TcpFlag.AE | TcpFlag.CWR | TcpFlag.ECE;

/** What a SYN asks for or a SYN-ACK agrees to: classic ECN or AccECN. */
export type EcnSetup = "ecn" | "accecn";

/**
 * Reads the ECN negotiation of a SYN or a SYN-ACK from its flags.
 *
 * A SYN: ECE and CWR without AE is the ECN-setup SYN of RFC 3168 §6.1.1, all three the AccECN SYN
 * of RFC 9768 §3.1.1. A SYN-ACK: ECE alone is the ECN-setup SYN-ACK (RFC 3168 §6.1.1); (AE, CWR,
 * ECE) of 010, 011, 100 and 110 agree to AccECN (RFC 9768 table 2), which means something only in
 * answer to an AccECN SYN. Everything else agrees to nothing.
 *
 * @param flags Flags of the segment, see {@linkcode TcpFlag}.
 * @returns `undefined` when the segment has no SYN or sets up no ECN.
 */
export function ecnSetup(flags: number): EcnSetup | undefined {
  if ((flags & TcpFlag.SYN) === 0) return undefined;
  const bits = flags & ECN_BITS;
  if ((flags & TcpFlag.ACK) === 0) {
    if (bits === ECN_BITS) return "accecn";
    return bits === (TcpFlag.CWR | TcpFlag.ECE) ? "ecn" : undefined;
  }
  switch (bits) {
    case TcpFlag.ECE:
      return "ecn";
    case TcpFlag.CWR:
    case TcpFlag.CWR | TcpFlag.ECE:
    case TcpFlag.AE:
    case TcpFlag.AE | TcpFlag.CWR:
      return "accecn";
    default:
      return undefined;
  }
}
