import { openDescriptor, OpenFlag } from "./descriptor.ts";
import { PipeWriter } from "./pipe_writer.ts";
import type { ByteWriter } from "./stream_output.ts";

const STANDARD_OUTPUT = "/proc/self/fd/1";
/** O_ACCMODE and O_RDWR of open(2). */
const ACCESS_MODE = 3;
const READ_AND_WRITE = 2;
/** A disk is waited for longer than a reader. */
const FILE_PATIENCE_MS = 30_000;

/**
 * Standard output. A pipe or terminal is opened once more, not to wait in it: then what its reader
 * took is known to the line, and the descriptor that other programs share stays as it is.
 */
export function standardOutput(): ByteWriter {
  const file = {
    write: (bytes: Uint8Array) => Deno.stdout.write(bytes),
    patienceMs: FILE_PATIENCE_MS,
  };
  try {
    const { isFile, isSocket } = Deno.statSync(STANDARD_OUTPUT);
    if (isFile) return file;
    return isSocket ? new PipeWriter(1, true) : openAgain();
  } catch {
    // Not permitted to know.
    return Deno.stdout;
  }
}

function openAgain(): ByteWriter {
  try {
    return new PipeWriter(openDescriptor(STANDARD_OUTPUT, 0));
  } catch {
    // Somebody else's. Only where it waits, the runtime writes what it says it has written.
    return (flagsOf(1) & OpenFlag.NONBLOCK) === 0 ? Deno.stdout : new PipeWriter(1);
  }
}

/** The flags that a descriptor was opened with. */
function flagsOf(fd: number): number {
  const flags = /^flags:\s*([0-7]+)$/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`));
  return parseInt(flags![1], 8);
}

/**
 * Whether standard output was closed: the runtime puts /dev/null in its place, open for reading too.
 * Some programs give that themselves to what they start; then nobody looks either.
 */
export function isStandardOutputNowhere(): boolean {
  try {
    const { isCharDevice, rdev } = Deno.statSync(STANDARD_OUTPUT);
    if (!isCharDevice || rdev !== Deno.statSync("/dev/null").rdev) return false;
    return (flagsOf(1) & ACCESS_MODE) === READ_AND_WRITE;
  } catch {
    return false;
  }
}
