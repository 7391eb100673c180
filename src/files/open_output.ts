/**
 * Opens what `--output` and `--write` name: a regular file is written at once, everything else when
 * it has room, while the trace goes on.
 *
 * @module
 */
import { lostWords } from "./appended_file.ts";
import { closeDescriptor, isTerminal } from "./descriptor.ts";
import { FifoWriter } from "./fifo_writer.ts";
import { FileOutput, type Rotation } from "./file_output.ts";
import { type OpenedFile, openForWriting } from "./open_file.ts";
import { PacketFile, type PacketOutput } from "./packet_output.ts";
import { PacketStream } from "./packet_stream.ts";
import { PipeWriter } from "./pipe_writer.ts";
import { type LineOutput, StreamOutput } from "./stream_output.ts";

/** An output that log rotation may ask to open its file again. */
export interface Reopening {
  /** Goes on in the file that has the path now; does nothing where it is no regular file. */
  reopen(): void;
}

/**
 * Opens a place for lines.
 *
 * @param rotation Undefined: a file grows without end.
 * @param onChange Says in one sentence what happens to the place.
 * @param onGone Called when the reader of a pipe without a name has gone away: none will follow.
 * @throws {Error} Its message is the reason alone.
 */
export function openLineOutput(
  path: string,
  rotation: Rotation | undefined,
  onChange: (sentence: string) => void,
  onGone: () => void,
): LineOutput & Reopening {
  const opened = openForWriting(path);
  if (opened.kind === "file") return new FileOutput(opened, rotation, onChange);
  if (rotation) {
    if (opened.fd !== undefined) closeDescriptor(opened.fd);
    throw new Error("only a regular file can be rotated");
  }
  const onFault = sayOnce(path, "record", onChange);
  const onSlow = () =>
    onChange(`"${path}" takes records more slowly than they come: some are lost`);
  const stream = new StreamOutput(
    openWriter(opened, true, onChange),
    (reason) => reason === undefined ? onGone() : onFault(reason),
    { goesOn: opened.kind !== "pipe", onSlow },
  );
  return Object.assign(stream, { reopen: () => {} });
}

/**
 * Opens a place for one text, which stands there instead of what a regular file held.
 *
 * @param onChange Says in one sentence what happens to the place.
 * @returns Writes the text; throws an {@linkcode Error} whose message is the reason alone.
 * @throws {Error} Its message is the reason alone.
 */
export function openTextOutput(
  path: string,
  onChange: (sentence: string) => void,
): (text: string) => Promise<void> {
  const opened = openForWriting(path);
  // What a file holds stays until there is something else to hold.
  if (opened.kind === "file") {
    return (text) => Deno.writeTextFile(`/proc/self/fd/${opened.fd}`, text);
  }
  let fault: string | undefined;
  const stream = new StreamOutput(
    openWriter(opened, false, onChange),
    (reason) => fault = reason,
  );
  return async (text) => {
    stream.write(text, 0);
    await stream.flush();
    if (fault !== undefined) throw new Error(fault);
  };
}

/**
 * Opens a place for packets.
 *
 * @param onChange Says in one sentence what happens to the place.
 * @throws {Error} Its message is the reason alone.
 */
export function openPacketOutput(
  path: string,
  onChange: (sentence: string) => void,
): PacketOutput & Reopening {
  const opened = openForWriting(path);
  if (opened.kind === "file") return new PacketFile(opened, onChange);
  if (opened.kind === "device" && isTerminal(opened.fd!)) {
    closeDescriptor(opened.fd!);
    throw new Error("it is a terminal, which shows no packets");
  }
  const onFault = sayOnce(path, "packet", onChange);
  const stream = new PacketStream(openWriter(opened, false, onChange), {
    reopen: opened.kind === "fifo"
      ? () => new FifoWriter({ path, fd: undefined, goesOn: false, isWaiting: true, onChange })
      : undefined,
    onFault: (reason) => onFault(reason ?? "its reader has gone"),
  });
  return Object.assign(stream, { reopen: () => {} });
}

function openWriter(
  { kind, path, fd }: OpenedFile,
  goesOn: boolean,
  onChange: (sentence: string) => void,
): FifoWriter | PipeWriter {
  return kind === "fifo" ? new FifoWriter({ path, fd, goesOn, onChange }) : new PipeWriter(fd!);
}

function sayOnce(path: string, unit: "record" | "packet", say: (sentence: string) => void) {
  let said = false;
  return (reason: string) => {
    if (said) return;
    said = true;
    say(`Cannot write "${path}": ${reason}; ${lostWords(unit)}`);
  };
}
