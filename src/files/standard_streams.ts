/**
 * Standard output and standard error: neither is ever waited in.
 *
 * @module
 */
import { openDescriptor, OpenFlag } from "./descriptor.ts";
import { PipeWriter } from "./pipe_writer.ts";
import type { ByteWriter } from "./stream_output.ts";

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
  return openStream(1) ?? file;
}

/** Standard error, likewise. */
export function standardError(): ByteWriter {
  return openStream(2) ?? Deno.stderr;
}

/** @returns Undefined for a regular file and /dev/null, and where it is not permitted to know. */
function openStream(fd: 1 | 2): PipeWriter | undefined {
  const path = `/proc/self/fd/${fd}`;
  try {
    const stream = Deno.statSync(path);
    // Nothing to wait for; and the C library, to open it without waiting, is 2 ms of a start.
    if (stream.isFile || isNull(stream)) return undefined;
    if (stream.isSocket) return new PipeWriter(fd, true);
    return new PipeWriter(openDescriptor(path, 0));
  } catch {
    // Somebody else's. Only where it waits, the runtime writes what it says it has written.
    return doesNotWait(fd) ? new PipeWriter(fd) : undefined;
  }
}

function doesNotWait(fd: number): boolean {
  try {
    return (flagsOf(fd) & OpenFlag.NONBLOCK) !== 0;
  } catch {
    return false;
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
    return isNull(Deno.statSync("/proc/self/fd/1")) &&
      (flagsOf(1) & ACCESS_MODE) === READ_AND_WRITE;
  } catch {
    return false;
  }
}

function isNull({ isCharDevice, rdev }: Deno.FileInfo): boolean {
  return isCharDevice === true && rdev === Deno.statSync("/dev/null").rdev;
}
