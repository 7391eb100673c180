import { FileOutput } from "../io/file_output.ts";
import { isSameFile, PacketFile } from "../io/packet_output.ts";
import { type ByteWriter, type LineOutput, StreamOutput } from "../io/stream_output.ts";
import { sayNote } from "../io/terminal.ts";
import type { OutputOptions } from "./output_options.ts";
import { UsageError } from "./usage.ts";

/** Where a command writes to. */
export interface Outputs {
  /** Its lines. */
  lines: LineOutput;
  /** The packets of what it reports; undefined: nowhere. */
  packets: PacketFile | undefined;
  /** Goes on in the files that have the paths now, as log rotation asks by a signal. */
  reopen(): void;
}

/**
 * Opens what the flags name.
 *
 * @param options The flags. @param inputs Files that are read, which must not grow by it.
 * @param stdout Where lines go unless a file is named.
 * @param onGone Called when the reader of standard output has gone away or it cannot be written.
 * @throws {UsageError} A file cannot be written.
 */
export function openOutputs(
  { output, rotation, write }: OutputOptions,
  inputs: readonly string[],
  stdout: ByteWriter,
  onGone: () => void,
): Outputs {
  const file = output === undefined
    ? undefined
    : openFile("output", output, inputs, () => new FileOutput(output, rotation, sayNote));
  const lines = file ?? new StreamOutput(stdout, (reason) => {
    if (reason !== undefined) sayNote(`Cannot write to standard output: ${reason}; ending`);
    onGone();
  });
  const others = output === undefined ? inputs : [...inputs, output];
  const packets = write === undefined
    ? undefined
    : openFile("write", write, others, () => new PacketFile(write, sayNote));
  return {
    lines,
    packets,
    reopen: () => {
      file?.reopen();
      packets?.reopen();
    },
  };
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
