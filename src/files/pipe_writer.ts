import { DescriptorError, Errno, waitForRoom, writeNow } from "./descriptor.ts";
import type { ByteWriter } from "./stream_output.ts";

/** What a pipe takes whole or not at all (PIPE_BUF, linux/limits.h). */
const ATOMIC_BYTES = 4_096;
const NEWLINE = 10;
/** How long one system call waits for room, after which is looked whether it was closed. */
const ROOM_MS = 200;

/**
 * A pipe, socket or device that is not waited in. What fits PIPE_BUF goes into a pipe by whole
 * lines, so that no line is torn where the reader goes away or is given up.
 */
export class PipeWriter implements ByteWriter {
  readonly #fd: number;
  readonly #isSocket: boolean;
  #closed = false;

  /** Takes over a descriptor that was opened with O_NONBLOCK, or a socket. */
  constructor(fd: number, isSocket = false) {
    this.#fd = fd;
    this.#isSocket = isSocket;
  }

  /** See {@link ByteWriter.write}. @throws {Deno.errors.BrokenPipe} Nobody reads any more. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    while (!this.#closed) {
      const written = writeLines(this.#fd, bytes, this.#isSocket);
      if (written > 0) return written;
      await waitForRoom(this.#fd, ROOM_MS);
    }
    throw new Error("it was given up");
  }

  /** See {@link ByteWriter.close}. */
  close(): void {
    this.#closed = true;
  }
}

/**
 * Writes as many lines as there is room for now.
 *
 * @throws {Deno.errors.BrokenPipe} Nobody reads any more. @throws {DescriptorError} Another error.
 */
export function writeLines(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  isSocket = false,
): number {
  let at = 0;
  try {
    while (at < bytes.length) {
      const end = endOfPiece(bytes, at);
      const written = writeNow(fd, bytes.subarray(at, end), isSocket);
      at += written;
      if (written < end - (at - written)) break;
    }
  } catch (error) {
    // Told the next time, when nothing is written before it.
    if (at > 0) return at;
    if (error instanceof DescriptorError && error.errno === Errno.EPIPE) {
      throw new Deno.errors.BrokenPipe(error.message);
    }
    throw error;
  }
  return at;
}

/**
 * Where a piece ends that a pipe takes whole or not at all: behind as many whole lines as that holds; of a
 * longer line behind a part.
 */
export function endOfPiece(bytes: Uint8Array, at: number): number {
  if (bytes.length - at <= ATOMIC_BYTES) return bytes.length;
  const end = bytes.lastIndexOf(NEWLINE, at + ATOMIC_BYTES - 1) + 1;
  return end > at ? end : at + ATOMIC_BYTES;
}
