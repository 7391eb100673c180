import { fileAt, isSameFile } from "../files/same_file.ts";
import { isStandardOutputNowhere } from "../files/standard_streams.ts";
import { type ByteWriter, type LineOutput, StreamOutput } from "../files/stream_output.ts";
import { sayNote } from "./process/terminal.ts";
import type { StatusOptions } from "../output/status.ts";
import type { LineThread, LineThreadOptions } from "../output/line_thread.ts";
import { NdjsonFormat, type TextFormat, TextSink } from "../output/text_sink.ts";
import type { Sink } from "../pipeline/sink.ts";
import type { Field } from "../record/field.ts";
import { messageOf } from "../text/message.ts";
import { type OutputOptions, refusePath, writesFiles } from "./flags/output_options.ts";
import { UsageError } from "./usage.ts";

/** Where a command writes to. */
export interface Outputs {
  /** What writes there: packets before the records, whose summary tells what was lost of them. */
  sinks: Sink[];
  /** Goes on in the files that have the paths now, as log rotation asks by a signal. */
  reopen(): void;
  /** Ends what works beside the outputs. */
  close(): Promise<void>;
}

/** What goes where, beside what the flags say. */
export interface OutputsOptions {
  /** How handshakes are written to standard output. */
  format: TextFormat;
  /** Of the status lines in a file; undefined: none. */
  status?: StatusOptions;
  /** Whether standard output shows them even where --output names a file: to who sits before it. */
  showsToo?: boolean;
  /** Files that are read, which must not grow by it. */
  inputs?: readonly string[];
  /** Standard output, or what is written to instead. */
  stdout: ByteWriter;
  /** Who writes to a store; see `SegmentOutputOptions`. */
  writer?: { host: string; tracer: string };
  /** Whether it is standard error that is written to instead. */
  isStandardError?: boolean;
  /** What records of --output hold; undefined: everything. */
  fields?: readonly Field[];
  /** Whether another thread may make the lines of NDJSON. */
  usesThread?: boolean;
  /** Stands between lines and standard output. */
  before?(output: LineOutput): LineOutput;
  /** Called when the reader of the records has gone away or they cannot be written. */
  onGone(): void;
}

const STANDARD_OUTPUT = "/dev/stdout";

/** What opens files, and writes packets to them. */
type FileOpener =
  & typeof import("../files/open_output.ts")
  & typeof import("../output/packets.ts")
  & typeof import("../store/segment_output.ts");

/** Loads what opens files, where the flags name one: without one that is 2 ms of each start. */
export async function loadFileOpener(options: OutputOptions): Promise<FileOpener | undefined> {
  if (!writesFiles(options)) return undefined;
  return {
    ...await import(import.meta.resolve("../files/open_output.ts")),
    ...await import(import.meta.resolve("../output/packets.ts")),
    ...await import(import.meta.resolve("../store/segment_output.ts")),
  };
}

/**
 * Opens what the flags name.
 *
 * @param flags The flags. @param opener Opens files, see {@link loadFileOpener}.
 * @throws {UsageError} A file cannot be written.
 */
export function openOutputs(
  { output, rotation, write, store }: OutputOptions,
  opener: FileOpener | undefined,
  options: OutputsOptions,
): Outputs {
  const { inputs = [], onGone } = options;
  if (output === undefined) assertApart(inputs);
  else if (rotation) assertUnrotated(output, rotation.keep, write ? [...inputs, write] : inputs);
  const file = output === undefined ? undefined : openFile(
    "output",
    output,
    inputs,
    () => opener!.openLineOutput(output, rotation, sayNote, onGone),
  );
  const packets = write === undefined ? undefined : openFile(
    "write",
    write,
    [...inputs, output ?? STANDARD_OUTPUT],
    () => opener!.openPacketOutput(write, sayNote),
  );
  const { folder = "" } = store ?? {};
  const segments = store && openFile(
    "store",
    folder,
    [],
    () => new opener!.SegmentOutput({ ...store, ...options.writer!, onChange: sayNote }),
  );
  // A device may be that very terminal.
  const isDevice = output !== undefined && fileAt(output)?.isCharDevice;
  const isKept = file !== undefined || segments !== undefined;
  const shows = isKept && options.showsToo && !isDevice;
  const status = isDevice ? undefined : options.status;
  const recordsTo = (lines: LineOutput, place: string, each = status) =>
    new TextSink(lines, new NdjsonFormat(each, options.fields), `to "${place}"`, {
      openThread: options.usesThread ? openThread : undefined,
    });
  return {
    sinks: [
      ...packets ? [new opener!.PacketSink(packets)] : [],
      ...segments ? [recordsTo(segments, folder, options.status)] : [],
      ...file ? [recordsTo(file, output!)] : [],
      ...isKept && !shows ? [] : [openStandardOutput(options, isKept)],
    ],
    reopen: () => {
      segments?.reopen();
      file?.reopen();
      packets?.reopen();
    },
    close: async () => await segments?.close(),
  };
}

/** @param isShown Whether the records go to a file anyway: then a lost line is no lost record. */
function openStandardOutput(options: OutputsOptions, isShown: boolean): Sink {
  const { stdout, format, isStandardError, before = (output) => output } = options;
  const name = isStandardError ? "standard error" : "standard output";
  if (!isShown && !isStandardError && isStandardOutputNowhere()) {
    sayNote(
      "standard output is closed or /dev/null: records go nowhere, unless --output names a FILE",
    );
  }
  const onGone = (reason: string | undefined) => {
    const then = isShown ? "going on with --output alone" : "ending";
    if (reason !== undefined) sayNote(`Cannot write to ${name}: ${reason}; ${then}`);
    if (!isShown) options.onGone();
  };
  const onSlow = () =>
    sayNote(
      `${name} takes records more slowly than they come: some are ${
        isShown ? "not shown" : "lost"
      }`,
    );
  const output = new StreamOutput(stdout, onGone, { onSlow });
  return new TextSink(before(output), format, `to ${name}`, {
    isShown,
    openThread: options.usesThread ? openThread : undefined,
  });
}

/** Begins a thread that makes lines; undefined where there is no second processor, or it cannot begin. */
async function openThread(options: LineThreadOptions): Promise<LineThread | undefined> {
  if (navigator.hardwareConcurrency < 2) return undefined;
  const sayEnd = (reason: string) =>
    sayNote(`the second thread has ended (${reason}); the first does its work`);
  try {
    const { LineThread }: typeof import("../output/line_thread.ts") = await import(
      import.meta.resolve("../output/line_thread.ts")
    );
    const path = import.meta.resolve("../output/line_worker.ts");
    return await LineThread.open(new Worker(path, { type: "module" }), {
      ...options,
      onEnd: (reason) => {
        options.onEnd(reason);
        sayEnd(reason);
      },
    });
  } catch (error) {
    // Such as of who may read the capture alone, and load nothing.
    sayEnd(messageOf(error).split("\n")[0]);
  }
}

/** A file that grows while it is read has no end. */
function assertApart(inputs: readonly string[]): void {
  const input = inputs.find((each) => isSameFile(STANDARD_OUTPUT, each));
  if (input === undefined) return;
  throw new UsageError(`Cannot read "${input}": standard output is that file; give another`);
}

/** Rotation replaces what has the name of an old file. */
function assertUnrotated(output: string, keep: number, others: readonly string[]): void {
  const names = Array.from({ length: keep }, (_, index) => `${output}.${index + 1}`);
  const name = names.find((each) => others.some((path) => path === each || isSameFile(path, each)));
  if (name === undefined) return;
  throw new UsageError(
    `Cannot rotate "${output}": "${name}" is in use, which would be replaced; give another --output`,
  );
}

function openFile<T>(flag: string, path: string, others: readonly string[], open: () => T): T {
  try {
    const other = others.find((each) => isSameFile(path, each));
    if (other !== undefined) throw new Error(`it is "${other}", which is in use already`);
    return open();
  } catch (error) {
    throw refusePath(flag, path, error);
  }
}
