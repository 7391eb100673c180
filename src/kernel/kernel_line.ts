import { parseAddress } from "../wire/address.ts";
import {
  type KernelDecoding,
  type KernelRecord,
  KEY_BYTES,
  LOCAL_ADDRESS,
  readKernelRecord,
  VALUE_BYTES,
} from "./kernel_record.ts";

/** What a line of a script in mode 2 says. */
export type KernelLine =
  | { type: "ready" }
  | { type: "end" }
  /**
   * Of a record that tells nothing, such as a foreign socket's, there is the line alone. Lines of one CPU
   * come in their order, those of several in any.
   */
  | { type: "record"; record: KernelRecord | undefined; cpu: number }
  /** How many records were to be printed in all: true only behind `end`. */
  | { type: "written"; count: number }
  | { type: "lost"; count: number }
  | { type: "other"; text: string };

/** Words of the key and of the value before the addresses. */
const WORDS = 2 + 11;
const ADDRESSES = 2;
/** No comm of 16 bytes decodes to more characters. */
const COMM_CHARACTERS_MAX = 16;

// Nine digits of nanoseconds, a tenth of a second after boot, are more than fit in a comm after a
// newline: no process can name itself into a line that begins or ends the trace.
const READY = /^ready\|1\|[0-9]{9,}$/;
const END = /^end\|1\|[0-9]{9,}$/;
const LOST = /^Lost ([0-9]+) events$/;
const WRITTEN = /^@written: ([0-9]+)$/;
const WORD = /^[0-9a-f]{1,16}$/;
/** What a record begins with, and the CPU that told it. */
const RECORD = /^K([0-9]{1,5})\|/;

const keys = new DataView(new ArrayBuffer(KEY_BYTES));
const values = new DataView(new ArrayBuffer(VALUE_BYTES));

/**
 * Reads one line that bpftrace wrote on its standard output while it ran a script in mode 1 or 2.
 *
 * The record's comm stands last because it may hold any byte: a separator in it is part of it, and
 * what follows a newline in it is a line of its own, at most 14 bytes long and so `other`. Only
 * `Lost 99 events`, which can claim a loss, never hide one, and `@written: 999` are short enough to be
 * forged so: the true one is the last line of all, behind the one that ends the trace.
 *
 * @param line The line without its end.
 * @param decoding Places the kernel's times and names its reasons.
 */
export function parseKernelLine(line: string, decoding: KernelDecoding): KernelLine {
  const begin = RECORD.exec(line);
  if (begin) {
    return parseRecord(line, Number(begin[1]), decoding) ?? { type: "other", text: line };
  }
  if (READY.test(line)) return { type: "ready" };
  if (END.test(line)) return { type: "end" };
  const written = WRITTEN.exec(line);
  if (written) return { type: "written", count: Number(written[1]) };
  const lost = LOST.exec(line);
  return lost ? { type: "lost", count: Number(lost[1]) } : { type: "other", text: line };
}

function parseRecord(
  line: string,
  cpu: number,
  decoding: KernelDecoding,
): KernelLine | undefined {
  const fields = line.split("|").slice(1);
  if (fields.length < WORDS + ADDRESSES + 1) return undefined;
  for (let word = 0; word < WORDS; word++) {
    if (!WORD.test(fields[word])) return undefined;
    const value = BigInt("0x" + fields[word]);
    if (word < 2) keys.setBigUint64(word * 8, value, true);
    else values.setBigUint64((word - 2) * 8, value, true);
  }
  for (let position = 0; position < ADDRESSES; position++) {
    const address = parseAddress(fields[WORDS + position]);
    if (address === undefined) return undefined;
    for (let word = 0; word < 4; word++) {
      values.setUint32(LOCAL_ADDRESS + position * 16 + word * 4, address[word]);
    }
  }
  const record = readKernelRecord(keys, 0, values, 0, decoding);
  if (record === undefined) return { type: "record", record, cpu };
  // Text already: as bytes again, the replacements of what was no UTF-8 would take more room.
  if ("comm" in record && record.pid !== 0) {
    record.comm = fields.slice(WORDS + ADDRESSES).join("|").slice(0, COMM_CHARACTERS_MAX);
  }
  return { type: "record", record, cpu };
}
