import { NO_UTF8 } from "../linux/environment.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import type { FormatOptions } from "./format_options.ts";
import { UsageError } from "./usage.ts";
import { parseInteger, parseSize } from "./values.ts";

/** The flags that say where to write what, of every command that reports handshakes. */
export const OUTPUT_FLAGS: readonly Flag[] = [
  {
    name: "output",
    value: "FILE",
    meaning: "append NDJSON to FILE, a FIFO too (- is standard output)",
  },
  {
    name: "rotate-size",
    value: "SIZE",
    meaning: "begin a new FILE before it grows beyond 100M, 2G (at least 64K)",
  },
  { name: "rotate-keep", value: "N", meaning: "old files kept, FILE.1 the newest (default 5)" },
  {
    name: "write",
    value: "FILE",
    meaning: "append the packets of the handshakes reported to FILE, a pcapng or a FIFO",
  },
];

/** What becomes of what is written, for the help of the commands with {@link OUTPUT_FLAGS}. */
export const OUTPUT_HELP =
  "A new FILE may be read by its owner and group. One that is renamed, removed or emptied, as log " +
  "rotation does, is begun anew within a second. As root no link is followed in a folder that " +
  "others may write. Nothing waits for who reads a pipe or FIFO: 64 MB are held for a reader that " +
  "is slow or not there, what comes beyond is lost and counted.";

/** Where to write what. */
export interface OutputOptions {
  /** Undefined: standard output. */
  output: string | undefined;
  rotation: { maxBytes: number; keep: number } | undefined;
  /** The pcapng for the packets; undefined: none is written. */
  write: string | undefined;
}

/** Whether anything is written to a file. */
export function writesFiles({ output, write }: OutputOptions): boolean {
  return output !== undefined || write !== undefined;
}

const STANDARD_OUTPUT = "-";
/** Below it a busy host would do little but rename files. */
const ROTATE_SIZE_MIN_BYTES = 64_000;
const ROTATE_KEEP = 5;
const ROTATE_KEEP_MAX = 1_000;

/**
 * Reads the flags of {@link OUTPUT_FLAGS}.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseOutput({ values }: ParsedFlags): OutputOptions {
  const one = (flag: string) => values.get(flag)?.[0];
  const output = one("output");
  const size = one("rotate-size");
  const keepText = one("rotate-keep");
  const write = one("write");
  for (const [flag, path] of [["output", output], ["write", write]]) {
    if (!path?.includes(NO_UTF8)) continue;
    throw new UsageError(
      `Cannot use --${flag} "${path}": its name is no UTF-8 and cannot be passed on; give another`,
    );
  }
  const maxBytes = size === undefined ? undefined : parseSize("rotate-size", size);
  if (maxBytes !== undefined && maxBytes < ROTATE_SIZE_MIN_BYTES) {
    throw new UsageError(`Cannot use --rotate-size "${size}": give a size of at least 64K`);
  }
  const keep = keepText === undefined
    ? ROTATE_KEEP
    : parseInteger("rotate-keep", keepText, 0, ROTATE_KEEP_MAX);
  const toFile = output !== undefined && output !== STANDARD_OUTPUT;
  if (maxBytes !== undefined && !toFile) {
    throw new UsageError("Cannot use --rotate-size without a file: give --output FILE too");
  }
  if (keepText !== undefined && maxBytes === undefined) {
    throw new UsageError("Cannot use --rotate-keep alone: give --rotate-size SIZE too");
  }
  if (write === STANDARD_OUTPUT) {
    throw new UsageError('Cannot use --write "-": give a FILE, standard output is for records');
  }
  return {
    output: toFile ? output : undefined,
    rotation: maxBytes === undefined ? undefined : { maxBytes, keep },
    write,
  };
}

/** The flag that asks for another form than records. */
const FLAG_OF_KIND = {
  records: undefined,
  table: "table",
  statistics: "stats",
  csv: "csv",
} as const satisfies Record<FormatOptions["kind"], string | undefined>;

/**
 * The format of standard output where `--output` is given: NDJSON where it names that. A file takes
 * NDJSON always.
 *
 * @param output Value of `--output`, undefined where it is not given.
 * @throws {UsageError} Another format was asked for.
 */
export function formatTo(format: FormatOptions, output: string | undefined): FormatOptions {
  if (output === undefined) return format;
  const toStandardOutput = output === STANDARD_OUTPUT;
  const flag = format.columns && toStandardOutput ? "columns" : FLAG_OF_KIND[format.kind];
  if (flag !== undefined) {
    throw new UsageError(
      `Cannot use --${flag} with --output, which takes NDJSON: give one of them`,
    );
  }
  return toStandardOutput ? { ...format, json: true } : format;
}
