/**
 * TCP option kinds, their names, their lengths, and the one step by which both option readers walk.
 *
 * @module
 */

/** Option kinds this tool reads (IANA "TCP Option Kind Numbers"). */
export const TcpOptionKind = {
  /** RFC 9293 §3.1. */
  END: 0,
  /** RFC 9293 §3.1. */
  NO_OPERATION: 1,
  /** Maximum segment size, RFC 9293 §3.7.1. */
  MSS: 2,
  /** RFC 7323 §2.2. */
  WINDOW_SCALE: 3,
  /** RFC 2018 §2. */
  SACK_PERMITTED: 4,
  /** RFC 7323 §3.2. */
  TIMESTAMPS: 8,
  /** RFC 8684 §3. */
  MPTCP: 30,
  /** RFC 7413 §4.1.1. */
  FAST_OPEN: 34,
  /** RFC 9768 §3.2.3. */
  ACCECN_ORDER_0: 172,
  /** RFC 9768 §3.2.3. */
  ACCECN_ORDER_1: 174,
  /** RFC 4727 §8, shared by identifiers (RFC 6994 §3). */
  EXPERIMENT_1: 253,
  /** RFC 4727 §8, shared by identifiers (RFC 6994 §3). */
  EXPERIMENT_2: 254,
} as const;

/** Bytes of an option's kind and length fields; the least length there is (RFC 9293 §3.1). */
export const OPTION_HEADER_LENGTH = 2;
/** The same with the 16-bit experiment identifier of kinds 253 and 254 (RFC 6994 §3). */
export const EXPERIMENT_HEADER_LENGTH = 4;
/**
 * Experiment identifier of TCP Fast Open before kind 34 was assigned: in kind 254 alone (RFC 7413 §7), and
 * so Linux takes it.
 */
const FAST_OPEN_EXPERIMENT_ID = 0xf989;

/** Result of {@linkcode optionSize}: an end-of-option-list option. */
export const OPTION_END = 0;
/** Result of {@linkcode optionSize}: the option goes on behind the end of the option area. */
export const OPTION_OVERRUN: number = -1;
/** Result of {@linkcode optionSize}: the length field is smaller than the option's own header. */
export const OPTION_IMPOSSIBLE: number = -2;

/** Subtypes of the MPTCP option that a SYN carries (RFC 8684 §3). */
const MptcpSubtype = { MP_CAPABLE: 0, MP_JOIN: 1 } as const;
/** Bits below the subtype in the MPTCP option's third byte (RFC 8684 §3). */
const MPTCP_SUBTYPE_SHIFT = 4;
/** Bytes of an MPTCP option with its subtype, the least there are. */
const MPTCP_LENGTH_MIN = 3;
/**
 * Lengths of MP_CAPABLE in a SYN, a SYN-ACK and an ACK without and with data, of version 0 in a SYN as in
 * its answer (RFC 8684 §3.1, RFC 6824 §3.1); of MP_JOIN in the three (RFC 8684 §3.2).
 */
const MP_CAPABLE_LENGTHS: ReadonlySet<number> = new Set([4, 12, 20, 22, 24]);
const MP_JOIN_LENGTHS: ReadonlySet<number> = new Set([12, 16, 24]);

/** Least and greatest cookie in bytes: even, or none for a request (RFC 7413 §4.1.1). */
const COOKIE_LENGTH_MIN = 4;
const COOKIE_LENGTH_MAX = 16;

/** Names by kind, IANA "TCP Option Kind Numbers". */
const optionNames: ReadonlyMap<number, string> = new Map([
  [TcpOptionKind.END, "end_of_option_list"],
  [TcpOptionKind.NO_OPERATION, "no_operation"],
  [TcpOptionKind.MSS, "mss"],
  [TcpOptionKind.WINDOW_SCALE, "window_scale"],
  [TcpOptionKind.SACK_PERMITTED, "sack_permitted"],
  [5, "sack"],
  [6, "echo"],
  [7, "echo_reply"],
  [TcpOptionKind.TIMESTAMPS, "timestamps"],
  [14, "alternate_checksum_request"],
  [15, "alternate_checksum_data"],
  [19, "md5_signature"],
  [27, "quick_start_response"],
  [28, "user_timeout"],
  [29, "tcp_authentication"],
  [TcpOptionKind.MPTCP, "mptcp"],
  [TcpOptionKind.FAST_OPEN, "tcp_fast_open"],
  [69, "encryption_negotiation"],
  [TcpOptionKind.ACCECN_ORDER_0, "accecn_order_0"],
  [TcpOptionKind.ACCECN_ORDER_1, "accecn_order_1"],
  [TcpOptionKind.EXPERIMENT_1, "experiment_1"],
  [TcpOptionKind.EXPERIMENT_2, "experiment_2"],
]);

/**
 * The name of an option kind in snake_case, `"unknown"` for those without one here.
 *
 * @param kind Option kind, 0 to 255.
 */
export function tcpOptionName(kind: number): string {
  return optionNames.get(kind) ?? "unknown";
}

/**
 * Bytes of the option at `at`, header included: the step of a walk over the option area.
 *
 * @param view Bytes.
 * @param at Offset of the option's kind, below `end`.
 * @param end Offset behind the option area.
 * @returns At least 1, or {@linkcode OPTION_END}, {@linkcode OPTION_OVERRUN} or
 * {@linkcode OPTION_IMPOSSIBLE}: the walk cannot go on.
 */
export function optionSize(view: DataView, at: number, end: number): number {
  const kind = view.getUint8(at);
  if (kind === TcpOptionKind.END) return OPTION_END;
  if (kind === TcpOptionKind.NO_OPERATION) return 1;
  if (at + 1 >= end) return OPTION_OVERRUN;
  const size = view.getUint8(at + 1);
  if (size < OPTION_HEADER_LENGTH) return OPTION_IMPOSSIBLE;
  return at + size > end ? OPTION_OVERRUN : size;
}

/**
 * Subtype of an MPTCP option (RFC 8684 §3): 0 MP_CAPABLE, 1 MP_JOIN, ...
 *
 * @param view Bytes.
 * @param at Offset of the option's kind; it has 3 bytes or more.
 */
export function mptcpSubtype(view: DataView, at: number): number {
  return view.getUint8(at + OPTION_HEADER_LENGTH) >>> MPTCP_SUBTYPE_SHIFT;
}

/**
 * Tells whether an option is the experimental form of TCP Fast Open (RFC 7413 §7, RFC 6994 §3).
 *
 * @param view Bytes.
 * @param at Offset of the option's kind.
 * @param size Bytes of the option, as {@linkcode optionSize} tells.
 */
export function isFastOpenExperiment(view: DataView, at: number, size: number): boolean {
  return view.getUint8(at) === TcpOptionKind.EXPERIMENT_2 &&
    size >= EXPERIMENT_HEADER_LENGTH &&
    view.getUint16(at + OPTION_HEADER_LENGTH) === FAST_OPEN_EXPERIMENT_ID;
}

/**
 * Tells whether an option has a length that its RFC allows; any is for kinds not read here.
 *
 * @param view Bytes.
 * @param at Offset of the option's kind.
 * @param size Bytes of the option, 2 or more, as {@linkcode optionSize} tells.
 */
export function isOptionSizeAllowed(view: DataView, at: number, size: number): boolean {
  switch (view.getUint8(at)) {
    case TcpOptionKind.MSS:
      return size === 4;
    case TcpOptionKind.WINDOW_SCALE:
      return size === 3;
    case TcpOptionKind.SACK_PERMITTED:
      return size === 2;
    case TcpOptionKind.TIMESTAMPS:
      return size === 10;
    case TcpOptionKind.MPTCP:
      return isMptcpLengthAllowed(view, at, size);
    case TcpOptionKind.FAST_OPEN:
      return isCookieLengthAllowed(size - OPTION_HEADER_LENGTH);
    case TcpOptionKind.EXPERIMENT_2:
      return !isFastOpenExperiment(view, at, size) ||
        isCookieLengthAllowed(size - EXPERIMENT_HEADER_LENGTH);
    default:
      return true;
  }
}

function isMptcpLengthAllowed(view: DataView, at: number, size: number): boolean {
  if (size < MPTCP_LENGTH_MIN) return false;
  switch (mptcpSubtype(view, at)) {
    case MptcpSubtype.MP_CAPABLE:
      return MP_CAPABLE_LENGTHS.has(size);
    case MptcpSubtype.MP_JOIN:
      return MP_JOIN_LENGTHS.has(size);
    default:
      return true;
  }
}

function isCookieLengthAllowed(length: number): boolean {
  return length === 0 ||
    length >= COOKIE_LENGTH_MIN && length <= COOKIE_LENGTH_MAX && length % 2 === 0;
}
