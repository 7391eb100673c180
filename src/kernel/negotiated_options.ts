/** What both sides agreed on, from `tcp_sock.rx_opt`. */
export interface NegotiatedOptions {
  /** Timestamps (RFC 7323). */
  readonly timestamps: boolean;
  /** Selective acknowledgments (RFC 2018). */
  readonly sackPermitted: boolean;
  /** Window scaling (RFC 7323). */
  readonly windowScale: boolean;
  /** Shift count that the peer announced, 0 to 14 (RFC 7323). */
  readonly peerWindowScale: number;
  /** Shift count that this side announced, 0 to 14 (RFC 7323). */
  readonly ownWindowScale: number;
  /** Data was sent in the SYN (RFC 7413). */
  readonly synData: boolean;
  /** Data sent in the SYN was acknowledged (RFC 7413). */
  readonly synDataAcknowledged: boolean;
}

const TIMESTAMPS = 0x01;
const SACK_PERMITTED = 0x02;
const WINDOW_SCALE = 0x10;
const SYN_DATA = 0x20;
const SYN_DATA_ACKNOWLEDGED = 0x40;
/** Both shift counts, peer's and own. */
const SHIFTS = 0xff00;
/** All that is read: so many of them can differ that what is kept stays below 8,192. */
const READ = TIMESTAMPS | SACK_PERMITTED | WINDOW_SCALE | SYN_DATA | SYN_DATA_ACKNOWLEDGED | SHIFTS;

/** Those that were read, by their bits: few come again and again, and one for each record is garbage. */
const known = new Map<number, NegotiatedOptions>();

/**
 * Reads the options of a record.
 *
 * @param bits As `bpf/handshake.bt` packs them.
 * @returns One object for all records with the same.
 */
export function readNegotiatedOptions(bits: number): NegotiatedOptions {
  const read = bits & READ;
  let options = known.get(read);
  if (options === undefined) known.set(read, options = decode(read));
  return options;
}

function decode(bits: number): NegotiatedOptions {
  return {
    timestamps: (bits & TIMESTAMPS) !== 0,
    sackPermitted: (bits & SACK_PERMITTED) !== 0,
    windowScale: (bits & WINDOW_SCALE) !== 0,
    peerWindowScale: (bits >>> 8) & 0xf,
    ownWindowScale: (bits >>> 12) & 0xf,
    synData: (bits & SYN_DATA) !== 0,
    synDataAcknowledged: (bits & SYN_DATA_ACKNOWLEDGED) !== 0,
  };
}
