/**
 * What node:zlib's Gunzip does not tell by itself: what it made before a fault, and what stands behind
 * the last member of a gzip file (RFC 1952 §2.2).
 *
 * @module
 */
import type { Transform } from "node:stream";
import { messageOf } from "../text/message.ts";
import { broken, InputError } from "./input_error.ts";

/**
 * A Gunzip, with what it keeps between two calls of zlib: each writes into the buffer from the offset on,
 * and leaves so many of its chunkSize bytes free.
 */
interface Gunzip extends Transform {
  /** Bytes taken so far. */
  readonly bytesWritten: number;
  readonly _outBuffer?: Uint8Array;
  readonly _outOffset?: number;
  readonly _chunkSize?: number;
  /** Bytes free behind what was written, and bytes not taken. */
  readonly _writeState?: Uint32Array;
}

/** How zlib says that no member begins where one ended: the first one was looked at before. */
const NO_HEADER = "incorrect header check";

/**
 * Behind the last member zeros are padding, and end it. Inside of a member this byte is taken, so it
 * tells whether the file is whole.
 */
export const PADDING: Uint8Array = new Uint8Array(1);

/**
 * What a call of zlib made before it failed. Gunzip would throw it away: of a small file that is all.
 *
 * @returns Nothing where there is nothing.
 */
export function madeBeforeFault(transform: Transform): Uint8Array[] {
  const { _outBuffer, _outOffset, _chunkSize, _writeState } = transform as Gunzip;
  if (!_outBuffer || _outOffset === undefined || _chunkSize === undefined || !_writeState) {
    return [];
  }
  const end = _chunkSize - _writeState[0];
  return end > _outOffset ? [_outBuffer.subarray(_outOffset, end)] : [];
}

/** Bytes that a Gunzip has taken: fewer than it was given where padding begins. */
export function takenBy(transform: Transform): number {
  return (transform as Gunzip).bytesWritten;
}

/** @throws {InputError} Some of what stands behind the last member is no padding. */
export function expectPadding(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) throw behindLastMember();
}

/** What is wrong with a gzip file, from what zlib said. */
export function gzipFault(error: unknown): InputError {
  return isNoHeader(error) ? behindLastMember() : broken(messageOf(error));
}

/** What is wrong with one that does not end with a member, from what zlib said of padding behind it. */
export function gzipCut(error: unknown): InputError {
  return isNoHeader(error) ? behindLastMember() : broken("unexpected end of file");
}

function isNoHeader(error: unknown): boolean {
  return error instanceof Error && error.message === NO_HEADER;
}

function behindLastMember(): InputError {
  return new InputError(
    "bytes that are no gzip follow its compressed data; all before them is read",
  );
}
