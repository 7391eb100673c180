/**
 * Decompression of streams, piece by piece: memory does not grow with the file, whatever it holds.
 *
 * @module
 */
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { messageOf } from "../text/message.ts";
import {
  expectPadding,
  gzipCut,
  gzipFault,
  madeBeforeFault,
  PADDING,
  takenBy,
} from "./gzip_members.ts";
import { broken, type InputError } from "./input_error.ts";
import { cutZstdFrames } from "./zstd_frames.ts";
import { claimErrors } from "../linux/unforeseen.ts";

/** Bytes given to a decompressor at once: of gzip a thousand times as much may come of them. */
const PART_LENGTH = 16 * 1024;
/** Bytes that it hands out at once, where it has as many: of 16 KiB each reading took a tenth more. */
const CHUNK_LENGTH = 128 * 1024;
/** Blocks of zstd given to it at once: 2 MiB come of them at most, from as few as 64 bytes. */
const PART_BLOCKS = 16;
/** Pieces of what was decompressed that are no longer are handed out together, so many bytes at most. */
const SHORT_LENGTH = 8 * 1024;
const TOGETHER_LENGTH = 64 * 1024;

/**
 * Decompresses gzip (RFC 1952), any number of members.
 *
 * @throws {InputError} While iterating: the data is broken or ends too early.
 */
export function decompressGzip(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(uncut(pieces), createGunzip({ chunkSize: CHUNK_LENGTH }), true);
}

/** Each piece as the only part of itself. */
async function* uncut(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Iterable<Uint8Array>> {
  for await (const piece of pieces) yield [piece];
}

/**
 * Decompresses zstd (RFC 8878), any number of frames: node:zlib takes one in each write.
 *
 * @throws {InputError} While iterating: the data is broken, ends too early, or asks for much memory.
 */
export function decompressZstd(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(
    cutZstdFrames(pieces, PART_BLOCKS),
    createZstdDecompress({ chunkSize: CHUNK_LENGTH }),
    false,
  );
}

/**
 * Writes parts to a transform and hands out what it makes of each before the next, to be used before
 * the next is asked for. What is short is handed out together, when nothing more of its piece is to
 * come: of a zstd file with a frame for each byte every step to the caller would be one for a byte.
 * Unlike pipe(), this delivers all that was decompressed before an error.
 */
async function* through(
  pieces: AsyncIterable<Iterable<Uint8Array>>,
  transform: Transform,
  isGzip: boolean,
): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = [];
  const together = new Uint8Array(TOGETHER_LENGTH);
  let length = 0;
  function* takeTogether() {
    if (length > 0) yield together.subarray(0, length);
    length = 0;
  }
  function* take() {
    const taken = made;
    made = [];
    for (const chunk of taken) {
      const isShort = chunk.length <= SHORT_LENGTH;
      if (!isShort || length + chunk.length > TOGETHER_LENGTH) yield* takeTogether();
      if (isShort) {
        together.set(chunk, length);
        length += chunk.length;
      } else {
        yield chunk;
      }
      release(chunk);
    }
  }
  transform.on("data", (chunk: Uint8Array) => made.push(chunk));
  // After an error not every write calls back (zstd), so each step ends by either.
  let failure: unknown;
  let settle: (error?: unknown) => void = () => {};
  const fail = (error: unknown) => {
    if (isGzip && failure === undefined) made.push(...madeBeforeFault(transform));
    settle(failure = error);
  };
  transform.on("error", fail);
  // Gzip ends before it is told to where padding begins.
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
  const toFault = isGzip ? gzipFault : toBroken;
  let given = 0;
  let isPadding = false;
  const writeWhole = async (bytes: Uint8Array) => {
    given += bytes.length;
    const error = await step((done) => transform.write(bytes, done));
    // Gunzip calls back without an error, and then fails or ends where it has not taken all.
    const isOver = isGzip && takenBy(transform) < given;
    return error ?? (isOver ? await step(() => {}) : undefined);
  };
  try {
    for await (const parts of pieces) {
      for (const part of parts) {
        for (let at = 0; at < part.length; at += PART_LENGTH) {
          const bytes = part.subarray(at, at + PART_LENGTH);
          if (isPadding) {
            expectPadding(bytes);
            continue;
          }
          const error = await writeWhole(bytes);
          yield* take();
          if (error) throw toFault(error);
          const rest = isGzip ? given - takenBy(transform) : 0;
          if (rest === 0) continue;
          isPadding = true;
          expectPadding(bytes.subarray(-rest));
        }
      }
      yield* takeTogether();
    }
    if (isGzip && !isPadding) {
      const error = await writeWhole(PADDING);
      if (error || takenBy(transform) === given) throw gzipCut(error);
    } else if (!isGzip) {
      const error = await step(() => transform.end());
      yield* take();
      if (error) throw toBroken(error);
    }
  } catch (error) {
    yield* takeTogether();
    throw error;
  }
  yield* takeTogether();
}

function toBroken(error: unknown): InputError {
  return broken(messageOf(error));
}

/**
 * Frees the memory of what was handed out and is used up. The collector would come when some hundred
 * megabytes of it have gathered.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  // Of a buffer with room behind the bytes the decompressor fills the rest.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** How Deno's node:zlib begins what it says of damaged zstd data. */
const ZSTD_ERROR = /^Zstd decompress error/;

/**
 * Catches what node:zlib throws where nobody can catch it: Deno's does so, instead of emitting it, for
 * damage behind the first chunk that a write decompresses to.
 */
function onThrownError(fail: (error: unknown) => void): Disposable {
  return claimErrors((error) => {
    if (!(error instanceof Error && ZSTD_ERROR.test(error.message))) return false;
    fail(error);
    return true;
  });
}
