/**
 * Decompression of streams, piece by piece: memory does not grow with the file.
 *
 * @module
 */
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { splitZstdFrames } from "./zstd_frames.ts";

/** Bytes given to a decompressor at once: even a thousand times as much is no burden. */
const PART_LENGTH = 16 * 1024;

/**
 * Decompresses gzip (RFC 1952), any number of members.
 *
 * @throws {Error} While iterating: the data is broken or ends too early.
 */
export function decompressGzip(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(pieces, createGunzip());
}

/**
 * Decompresses zstd (RFC 8878), any number of frames: node:zlib alone ends behind the first.
 *
 * @throws {Error} While iterating: the data is broken or ends too early.
 */
export async function* decompressZstd(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const frame of splitZstdFrames(pieces)) yield* through(frame, createZstdDecompress());
}

/**
 * Writes pieces to a transform and hands out what it makes of each before the next. Unlike pipe(), this
 * delivers all that was decompressed before an error.
 */
async function* through(
  pieces: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = [];
  const take = () => {
    const taken = made;
    made = [];
    return taken;
  };
  transform.on("data", (chunk: Uint8Array) => made.push(chunk));
  // After an error not every write calls back (zstd), so each step ends by either.
  let failure: unknown;
  let settle: (error?: unknown) => void = () => {};
  const fail = (error: unknown) => settle(failure = error);
  transform.on("error", fail);
  // It may end before it is told to: behind a gzip member without content come bytes of no other.
  let ended = false;
  transform.on("end", () => {
    ended = true;
    settle();
  });
  using _listening = onThrownError(fail);
  // What is abandoned goes on with nothing, and cannot fail any more.
  using _ending = { [Symbol.dispose]: () => transform.destroy() };
  const step = (begin: (done: (error?: unknown) => void) => void) =>
    new Promise<unknown>((resolve) => {
      settle = resolve;
      if (failure || ended) resolve(failure);
      else begin(resolve);
    });
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += PART_LENGTH) {
      const part = piece.subarray(at, at + PART_LENGTH);
      const error = await step((done) => transform.write(part, done));
      yield* take();
      if (error) throw error;
    }
  }
  const error = await step(() => transform.end());
  yield* take();
  if (error) throw error;
}

/** How Deno's node:zlib begins what it says of damaged zstd data. */
const ZSTD_ERROR = /^Zstd decompress error/;

/**
 * Catches what node:zlib throws where nobody can catch it: Deno's does so, instead of emitting it, for
 * damage behind the first 16 KiB that a write decompresses to.
 */
function onThrownError(fail: (error: unknown) => void): Disposable {
  const listener = (event: ErrorEvent) => {
    if (!(event.error instanceof Error && ZSTD_ERROR.test(event.error.message))) return;
    event.preventDefault();
    fail(event.error);
  };
  globalThis.addEventListener("error", listener);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("error", listener) };
}
