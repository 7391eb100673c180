/**
 * TCP options in words, short for the ladder and whole for the header.
 *
 * @module
 */
import { countOf } from "../text/count.ts";
import { listTcpOptions, type TcpOption } from "../wire/tcp_options.ts";

/** Bytes of the experiment's identifier in front of the cookie (RFC 6994 section 3). */
const EXPERIMENT_ID_LENGTH = 2;
/** Above it a receiver uses 14 (RFC 7323 section 2.3). */
const SHIFT_MAX = 14;

/** Where the data offset stands in the TCP header, and where options begin (RFC 9293 section 3.1). */
const DATA_OFFSET = 12;
const OPTIONS = 20;

interface Words {
  /** On the ladder; undefined where it says nothing. */
  short(data: DataView): string | undefined;
  /** Beside its bytes. */
  long(data: DataView): string;
}

function fixed(short: string | undefined, long: string): Words {
  return { short: () => short, long: () => long };
}

function cookie(length: number): string {
  return length === 0 ? "cookie request" : `cookie of ${length} bytes`;
}

const WORDS: ReadonlyMap<string, Words> = new Map([
  ["end_of_option_list", fixed(undefined, "End of the option list")],
  ["no_operation", fixed(undefined, "No-operation: fills up to the next 4 bytes")],
  ["mss", {
    short: (data) => `MSS ${data.getUint16(0)}`,
    long: (data) => `Maximum segment size: ${data.getUint16(0)} bytes of data a packet at most`,
  }],
  ["window_scale", {
    short: (data) => `window scale ${data.getUint8(0)}`,
    long: (data) => {
      const shift = data.getUint8(0);
      const used = Math.min(shift, SHIFT_MAX);
      const cut = shift > SHIFT_MAX ? ` (${SHIFT_MAX} is used)` : "";
      return `Window scale: shift ${shift}${cut}, so later windows count ${2 ** used} bytes each`;
    },
  }],
  ["sack_permitted", fixed("SACK permitted", "SACK permitted: gaps may be acknowledged singly")],
  ["timestamps", {
    short: (data) => {
      const echo = data.getUint32(4);
      return `TSval ${data.getUint32(0)}${echo === 0 ? "" : `, TSecr ${echo}`}`;
    },
    long: (data) =>
      `Timestamps: TSval ${data.getUint32(0)}, TSecr ${
        data.getUint32(4)
      } (the echo of the other's)`,
  }],
  ["mptcp", {
    short: () => "MPTCP",
    long: (data) => `Multipath TCP, subtype ${data.getUint8(0) >> 4}`,
  }],
  ["tcp_fast_open", {
    short: (data) => `Fast Open ${cookie(data.byteLength)}`,
    long: (data) => `TCP Fast Open: ${cookie(data.byteLength)}`,
  }],
  ["tcp_fast_open_experiment", {
    short: (data) => `Fast Open ${cookie(data.byteLength - EXPERIMENT_ID_LENGTH)}`,
    long: (data) =>
      `TCP Fast Open, experimental form: ${cookie(data.byteLength - EXPERIMENT_ID_LENGTH)}`,
  }],
]);

/**
 * The options of a TCP header as far as it was captured.
 *
 * @returns Those captured whole, and whether there were more.
 */
export function wholeOptions(header: Uint8Array): { options: TcpOption[]; isCut: boolean } {
  const isCut = (header[DATA_OFFSET] >> 4) * 4 > header.length;
  const options = listTcpOptions(header.subarray(OPTIONS));
  // What looks damaged at the cut is only half of an option.
  if (isCut && options.at(-1)?.malformed) options.pop();
  return { options, isCut };
}

/** Names an option in a few words; undefined for padding. */
export function nameOption(option: TcpOption): string | undefined {
  if (option.malformed) return `a damaged option (kind ${option.kind})`;
  const words = WORDS.get(option.name);
  return words ? words.short(viewOf(option)) : plainName(option);
}

/** Says all that an option says. */
export function explainOption(option: TcpOption): string {
  if (option.malformed) {
    return `Damaged: ${plainName(option)} with a length that it cannot have`;
  }
  const words = WORDS.get(option.name);
  return words
    ? words.long(viewOf(option))
    : `${plainName(option)}, ${countOf(option.data.length, "byte")}`;
}

function viewOf({ data }: TcpOption): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

function plainName({ kind, name }: TcpOption): string {
  return name === "unknown" ? `option ${kind}` : name.replaceAll("_", " ");
}
