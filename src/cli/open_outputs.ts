import type { PacketOutput } from "../files/packet_output.ts";
import { isSameFile } from "../files/same_file.ts";
import { isStandardOutputNowhere } from "../files/standard_streams.ts";
import { type ByteWriter, type LineOutput, StreamOutput } from "../files/stream_output.ts";
import { sayNote } from "./process/terminal.ts";
import type { MakeHandshakePackets } from "./handshake_packets.ts";
import { type OutputOptions, writesFiles } from "./output_options.ts";
import { UsageError } from "./usage.ts";

/** Where a command writes to. */
export interface Outputs {
  /** Its lines. */
  lines: LineOutput;
  /** The packets of what it reports; undefined: nowhere. */
  packets: PacketOutput | undefined;
  /** Makes what writes them there. */
  keepPackets: MakeHandshakePackets | undefined;
  /** Goes on in the files that have the paths now, as log rotation asks by a signal. */
  reopen(): void;
}

const STANDARD_OUTPUT = "/dev/stdout";

/** What opens files, and writes packets to them. */
type FileOpener =
  & typeof import("../files/open_output.ts")
  & typeof import("./handshake_packets.ts");

/** Loads what opens files, where the flags name one: without one that is 2 ms of each start. */
export async function loadFileOpener(options: OutputOptions): Promise<FileOpener | undefined> {
  if (!writesFiles(options)) return undefined;
  return { ...await load("../files/open_output.ts"), ...await load("./handshake_packets.ts") };
}

/** A literal path would have what it leads to read and examined at each start. */
function load(path: string) {
  return import(import.meta.resolve(path));
}

/**
 * Opens what the flags name.
 *
 * @param options The flags. @param opener Opens files, see {@link loadFileOpener}. @param inputs Files that are read, which must not grow by it.
 * @param stdout Where lines go unless a file is named.
 * @param onGone Called when the reader of the lines has gone away or they cannot be written.
 * @throws {UsageError} A file cannot be written.
 */
export function openOutputs(
  { output, rotation, write }: OutputOptions,
  opener: FileOpener | undefined,
  inputs: readonly string[],
  stdout: ByteWriter,
  onGone: () => void,
): Outputs {
  if (output === undefined) assertApart(inputs);
  else if (rotation) assertUnrotated(output, rotation.keep, write ? [...inputs, write] : inputs);
  const file = output === undefined ? undefined : openFile(
    "output",
    output,
    inputs,
    () => opener!.openLineOutput(output, rotation, sayNote, onGone),
  );
  const lines = file ?? openStandardOutput(stdout, onGone);
  const packets = write === undefined ? undefined : openFile(
    "write",
    write,
    [...inputs, output ?? STANDARD_OUTPUT],
    () => opener!.openPacketOutput(write, sayNote),
  );
  return {
    lines,
    packets,
    keepPackets: packets && ((kept) => new opener!.HandshakePackets(packets, kept)),
    reopen: () => {
      file?.reopen();
      packets?.reopen();
    },
  };
}

function openStandardOutput(stdout: ByteWriter, onGone: () => void): LineOutput {
  if (isStandardOutputNowhere()) {
    sayNote(
      "standard output is closed or /dev/null: records go nowhere, unless --output names a FILE",
    );
  }
  return new StreamOutput(stdout, (reason) => {
    if (reason !== undefined) sayNote(`Cannot write to standard output: ${reason}; ending`);
    onGone();
  }, {
    onSlow: () =>
      sayNote("standard output takes records more slowly than they come: some are lost"),
  });
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
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot use --${flag} "${path}": ${reason}; give another file`);
  }
}
