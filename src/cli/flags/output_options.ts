import { NO_UTF8 } from "../../linux/environment.ts";
import type { Keeping } from "../../store/kept_segments.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import type { FormatOptions } from "./format_options.ts";
import { messageOf } from "../../text/message.ts";
import { UsageError } from "../usage.ts";
import { parseAge, parseInteger, parseSize } from "./values.ts";

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
    meaning: "begin a new FILE before it is larger than this, such as 100M or 2G (at least 64K)",
  },
  { name: "rotate-keep", value: "N", meaning: "old files kept, FILE.1 the newest (default 5)" },
  {
    name: "write",
    value: "FILE",
    meaning: "append to FILE, a pcapng or a FIFO, the packets of each handshake that is reported",
  },
];

/** The flags of a store, of `trace` alone: what is read was recorded by somebody already. */
export const STORE_FLAGS: readonly Flag[] = [
  {
    name: "store",
    value: "DIR",
    meaning: "append NDJSON to DIR, a file an hour; hours that are over are compressed",
  },
  {
    name: "keep",
    value: "TIME",
    meaning: "keep the hours of DIR so long, such as 12h or 7d, then remove them",
  },
  {
    name: "keep-size",
    value: "SIZE",
    meaning: "keep so much in DIR, such as 500M or 10G, and remove its oldest hours first",
  },
];

/** What becomes of what is written, for the help of the commands with {@link OUTPUT_FLAGS}. */
export const OUTPUT_HELP =
  "A new FILE may be read by its owner and group. One that is renamed, removed or emptied, as log " +
  "rotation does, is begun anew within a second. As root no link is followed in a folder that " +
  "others may write. Nothing waits for who reads a pipe or FIFO: 64 MB are held for a reader that " +
  "is slow or not there, what comes beyond is lost and counted.";

/** Where the records and packets of a trace are written. */
export interface OutputOptions {
  /** Undefined: standard output. */
  output: string | undefined;
  /** When a file is renamed, by its size, and how many of those are kept; undefined: never. */
  rotation: { maxBytes: number; keep: number } | undefined;
  /** The pcapng for the packets; undefined: none is written. */
  write: string | undefined;
  store: StoreOptions | undefined;
}

/** A store to write to. */
export interface StoreOptions {
  folder: string;
  keeping: Keeping;
}

/** Whether anything is written to a file. */
export function writesFiles({ output, write, store }: OutputOptions): boolean {
  return output !== undefined || write !== undefined || store !== undefined;
}

/** Standard output, named as a file. */
export const STANDARD_OUTPUT = "-";
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
  const store = one("store");
  refuseNoUtf8("output", output);
  refuseNoUtf8("write", write);
  refuseNoUtf8("store", store);
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
    store: parseStore(store, one("keep"), one("keep-size")),
  };
}

function parseStore(
  folder: string | undefined,
  keep: string | undefined,
  keepSize: string | undefined,
): StoreOptions | undefined {
  if (folder === undefined) {
    const [flag] = Object.entries({ "keep": keep, "keep-size": keepSize })
      .find(([, value]) => value !== undefined) ?? [];
    if (flag === undefined) return undefined;
    throw new UsageError(`Cannot use --${flag} without a store: give --store DIR too`);
  }
  if (folder === STANDARD_OUTPUT || folder === "") {
    throw new UsageError(
      `Cannot use --store "${folder}": give a folder, such as /var/lib/synsnoop`,
    );
  }
  return {
    folder: folder.replace(/(?<=.)\/+$/, ""),
    keeping: {
      ageMs: keep === undefined ? undefined : parseAge("keep", keep),
      bytes: keepSize === undefined ? undefined : parseSize("keep-size", keepSize),
    },
  };
}

/**
 * Refuses a path that has lost bytes on its way here.
 *
 * @throws {UsageError} One line for the user.
 */
export function refuseNoUtf8(flag: string, path: string | undefined): void {
  if (!path?.includes(NO_UTF8)) return;
  throw new UsageError(
    `Cannot use --${flag} "${path}": its name is no UTF-8 and cannot be passed on; give another`,
  );
}

/** What the system's words mean of a path to write to, by the value of errno (errno(3)). */
const WORDS: Readonly<Record<number, string>> = {
  2: "its folder is not there",
  20: "what stands before a / in it is no folder",
  21: "it is a folder",
};

/** Why a path cannot be written to. @param error Its message is the reason alone. */
export function whyNoPath(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  // What Deno itself reports has a name in place of the number, and node:fs a negative one.
  const errno = error.name === "NotFound" ? 2 : "errno" in error ? Number(error.errno) : 0;
  return WORDS[Math.abs(errno)] ?? messageOf(error);
}

/** The error for a path that cannot be opened. @param error Its message is the reason alone. */
export function refusePath(flag: string, path: string, error: unknown): UsageError {
  const other = flag === "store" ? "folder" : "file";
  return new UsageError(
    `Cannot use --${flag} "${path}": ${whyNoPath(error)}; give another ${other}`,
  );
}

/** The flag that asks for another form than records. */
const FLAG_OF_KIND = {
  records: undefined,
  table: "table",
  statistics: "stats",
  csv: "csv",
} as const satisfies Record<FormatOptions["kind"], string | undefined>;

/**
 * The format of standard output where `--output` is given: NDJSON where it names that. A file or a
 * store takes NDJSON always.
 *
 * @param values Of the flags that were given. @throws {UsageError} Another format was asked for.
 */
export function formatTo(format: FormatOptions, { values }: ParsedFlags): FormatOptions {
  const output = (values.get("output") ?? values.get("store"))?.[0];
  if (output === undefined) return format;
  const flagOfFile = values.has("output") ? "output" : "store";
  const toStandardOutput = output === STANDARD_OUTPUT;
  const flag = format.columns && toStandardOutput ? "columns" : FLAG_OF_KIND[format.kind];
  if (flag !== undefined) {
    throw new UsageError(
      `Cannot use --${flag} with --${flagOfFile}, which takes NDJSON: give one of them`,
    );
  }
  return toStandardOutput ? { ...format, json: true } : format;
}
