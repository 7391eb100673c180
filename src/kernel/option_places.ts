import type { Btf } from "./btf.ts";
import { membersInBtf } from "./btf_members.ts";

/**
 * Where a kernel keeps what a handshake negotiated, in bytes from the beginning of a `struct tcp_sock`:
 * each of the two is one read, and their members one by one are seven.
 */
export interface OptionPlaces {
  /** Sixteen bits: that there are timestamps, window scaling and SACK, and both shift counts. */
  negotiated: number;
  /** Eight bits: that data was sent in the SYN, and acknowledged. */
  synData: number;
}

/** A bit, as a part of a byte. */
const BIT = 1 / 8;
// How `bpf/handshake.bt` takes the bits apart: so they lie in 6.1 to 7.2.
const NEGOTIATED = {
  tstamp_ok: 1 * BIT,
  wscale_ok: 3 * BIT,
  sack_ok: 4 * BIT,
  snd_wscale: 8 * BIT,
  rcv_wscale: 12 * BIT,
} as const;
const SYN_DATA = { syn_data: 2 * BIT, syn_data_acked: 6 * BIT } as const;

/** What {@link optionPlaces} looks for in the kernel's description of itself. */
export const OPTION_NAMES: readonly string[] = [
  "tcp_sock",
  "rx_opt",
  "tcp_options_received",
  ...Object.keys(NEGOTIATED),
  ...Object.keys(SYN_DATA),
];

/**
 * Finds them by the kernel's description of itself.
 *
 * @returns Undefined where they are not all there, or their bits lie in another order.
 */
export function optionPlaces(btf: Btf): OptionPlaces | undefined {
  const [options] = membersInBtf(btf, "tcp_sock", ["rx_opt"]);
  const negotiated = commonByte(btf, "tcp_options_received", NEGOTIATED);
  const synData = commonByte(btf, "tcp_sock", SYN_DATA);
  if (options === undefined || negotiated === undefined || synData === undefined) return undefined;
  return { negotiated: options + negotiated, synData };
}

/** The byte from which on the members of a structure lie as expected; undefined where there is none. */
function commonByte(
  btf: Btf,
  structure: string,
  expected: Readonly<Record<string, number>>,
): number | undefined {
  const places = membersInBtf(btf, structure, Object.keys(expected));
  const bytes = new Set(Object.values(expected).map((from, index) => places[index]! - from));
  const [byte] = bytes;
  return bytes.size === 1 && Number.isInteger(byte) ? byte : undefined;
}
