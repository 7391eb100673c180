/**
 * Standard output and standard error: neither is ever waited in.
 *
 * @module
 */
import { openDescriptor, OpenFlag } from "./descriptor.ts";
import { isNarrowed } from "../linux/narrow.ts";
import { endOfPiece, PipeWriter } from "./pipe_writer.ts";
import type { ByteWriter } from "./stream_output.ts";

/** O_ACCMODE and O_RDWR of open(2). */
const ACCESS_MODE = 3;
const READ_AND_WRITE = 2;
/** A disk is waited for longer than a reader. */
const FILE_PATIENCE_MS = 30_000;

/** Standard output. */
export function standardOutput(): ByteWriter {
  return openStream(1, Deno.stdout);
}

/** Standard error. */
export function standardError(): ByteWriter {
  return openStream(2, Deno.stderr);
}

function openStream(fd: 1 | 2, stream: typeof Deno.stdout | typeof Deno.stderr): ByteWriter {
  const path = `/proc/self/fd/${fd}`;
  try {
    const status = Deno.statSync(path);
    // Nothing to wait for; and the C library, to open it without waiting, is 2 ms of a start.
    if (status.isFile || isNull(status)) return new WholeStream(stream);
    return new Stream(stream, () => openWithoutWaiting(fd, status.isSocket));
  } catch {
    // It is not permitted to know.
    return new Stream(stream, () => undefined);
  }
}

/** A file or what takes everything. */
class WholeStream implements ByteWriter {
  readonly patienceMs = FILE_PATIENCE_MS;
  readonly write: (bytes: Uint8Array) => Promise<number>;

  constructor(stream: typeof Deno.stdout | typeof Deno.stderr) {
    this.write = (bytes) => stream.write(bytes);
  }
}

/**
 * A pipe, a socket or a terminal. It is opened once more, not to wait in it: then what its reader took is
 * known to the line, and the descriptor that other programs share stays as it is. That takes the C library;
 * without it the runtime waits aside, for whole lines that a pipe takes at once or not at all.
 */
class Stream implements ByteWriter {
  readonly #stream: typeof Deno.stdout | typeof Deno.stderr;
  readonly #open: () => PipeWriter | undefined;
  #opened: PipeWriter | undefined;
  #isOpened = false;

  constructor(
    stream: typeof Deno.stdout | typeof Deno.stderr,
    open: () => PipeWriter | undefined,
  ) {
    this.#stream = stream;
    this.#open = open;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (!isNarrowed()) {
      if (!this.#isOpened) this.#opened = this.#open();
      this.#isOpened = true;
      if (this.#opened) return await this.#opened.write(bytes);
    }
    return await this.#stream.write(bytes.subarray(0, endOfPiece(bytes, 0)));
  }

  close(): void {
    this.#opened?.close();
  }
}

/** @returns Undefined where that is not permitted. */
function openWithoutWaiting(fd: 1 | 2, isSocket: boolean | null): PipeWriter | undefined {
  if (isSocket) return new PipeWriter(fd, true);
  try {
    return new PipeWriter(openDescriptor(`/proc/self/fd/${fd}`, 0));
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
