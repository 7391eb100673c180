/**
 * The lines of a segment from some byte on.
 *
 * @module
 */
import { LINE_MAX } from "../../record/record_reader.ts";
import type { Segment } from "../store_folder.ts";
import { SegmentBytes } from "./segment_bytes.ts";

/** Some whole lines. */
export interface Lines {
  /** Without their newlines; undefined: no UTF-8, or longer than a line of ours. */
  lines: readonly (string | undefined)[];
  /** Where the next line begins, bytes of the segment as it was written. */
  end: number;
}

const PIECE_BYTES = 256 * 1024;
const NEWLINE = "\n".charCodeAt(0);

/** Reads a segment, a piece at a time, in bounded memory. */
export class SegmentLines implements Disposable {
  readonly #file: SegmentBytes;
  /** The start of a line whose end is still to come, and what follows. */
  #bytes = new Uint8Array(PIECE_BYTES);
  #length = 0;
  /** Where {@linkcode #bytes} begins in the segment. */
  #at: number;
  /** Whether what is read is the rest of a line that is too long. */
  #isSkipping = false;
  #decoder = new TextDecoder("utf-8", { fatal: true });

  private constructor(file: SegmentBytes, at: number) {
    this.#file = file;
    this.#at = at;
  }

  /**
   * Opens a segment where a line begins.
   *
   * @param at Bytes of it as it was written.
   * @throws {ShorterError} It has not so many. @throws {Error} It cannot be read.
   */
  static async open(segment: Segment, at: number): Promise<SegmentLines> {
    return new SegmentLines(await SegmentBytes.open(segment, at), at);
  }

  /** Bytes that are still to be read, as they lie on the disk. */
  get left(): number {
    return this.#file.left;
  }

  /** See {@link SegmentBytes.isReplaced}. */
  isReplaced(path: string): boolean {
    return this.#file.isReplaced(path);
  }

  /**
   * Reads on.
   *
   * @returns Undefined at the end, which for a segment that is not sealed may be none.
   */
  async next(): Promise<Lines | undefined> {
    for (;;) {
      const count = await this.#file.read(this.#room(), this.#file.isSealed);
      if (count === 0) return undefined;
      const before = this.#length;
      this.#length += count;
      const last = this.#bytes.subarray(before, this.#length).lastIndexOf(NEWLINE);
      if (last >= 0) return this.#take(before + last + 1);
      if (this.#length > LINE_MAX) this.#skip();
    }
  }

  /** What stands behind the last newline of a segment that is over: a line that was torn, or whole. */
  rest(): Lines | undefined {
    if (this.#length === 0 && !this.#isSkipping) return undefined;
    return this.#take(this.#length);
  }

  #room(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length - this.#length < PIECE_BYTES / 2) {
      const wider = new Uint8Array(2 * this.#bytes.length);
      wider.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = wider;
    }
    return this.#bytes.subarray(this.#length, this.#length + PIECE_BYTES);
  }

  /** Nothing of a line that is too long is kept but where it began. */
  #skip(): void {
    this.#isSkipping = true;
    this.#at += this.#length;
    this.#length = 0;
  }

  #take(end: number): Lines {
    const lines = this.#decode(this.#bytes.subarray(0, end));
    if (this.#isSkipping) lines[0] = undefined;
    this.#isSkipping = false;
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
    this.#at += end;
    return { lines, end: this.#at };
  }

  #decode(bytes: Uint8Array<ArrayBuffer>): (string | undefined)[] {
    try {
      return splitLines(this.#decoder.decode(bytes));
    } catch {
      return splitBytes(bytes).map((line) => {
        try {
          return this.#decoder.decode(line);
        } catch {
          return undefined;
        }
      });
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

function splitLines(text: string): (string | undefined)[] {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

function splitBytes(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const lines: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines;
}
