/**
 * The bytes of a segment from some byte on, whether it is being written, over or sealed: as they were
 * written in any case.
 *
 * @module
 */
import { CaptureInput } from "../../files/capture_input.ts";
import { fileAt, isOneFile } from "../../files/same_file.ts";
import type { Segment } from "../store_folder.ts";

const SKIPPED_BYTES = 256 * 1024;

/** That a segment has fewer bytes than were read of it. */
export class ShorterError extends Error {}

/** A file of a segment, open. */
export abstract class SegmentBytes implements Disposable {
  /** Whether it is the sealed one. */
  abstract readonly isSealed: boolean;
  /** Bytes that are still to be read, as they lie on the disk. */
  abstract readonly left: number;

  /**
   * Opens a segment.
   *
   * @param at Where to begin, bytes of it as it was written.
   * @throws {ShorterError} It has not so many. @throws {Error} It cannot be read.
   */
  static async open({ path, isSealed }: Segment, at: number): Promise<SegmentBytes> {
    return isSealed ? await SealedBytes.openAt(path, at) : await PlainBytes.openAt(path, at);
  }

  /**
   * Reads on.
   *
   * @param into At least one byte. @param aside Whether all else that waits has its turn meanwhile.
   * @returns How many; 0 at the end, which for a segment that is being written may be none.
   */
  abstract read(into: Uint8Array<ArrayBuffer>, aside: boolean): number | Promise<number>;

  /** Whether a path leads to another file than this one, or it has fewer bytes than were read of it. */
  abstract isReplaced(path: string): boolean;

  /** Closes the file. */
  abstract [Symbol.dispose](): void;
}

class PlainBytes extends SegmentBytes {
  readonly isSealed = false;
  readonly #file: Deno.FsFile;
  #at: number;

  private constructor(file: Deno.FsFile, at: number) {
    super();
    this.#file = file;
    this.#at = at;
  }

  static async openAt(path: string, at: number): Promise<PlainBytes> {
    const file = await Deno.open(path);
    try {
      if (file.statSync().size < at) throw new ShorterError();
      file.seekSync(at, Deno.SeekMode.Start);
    } catch (error) {
      file.close();
      throw error;
    }
    return new PlainBytes(file, at);
  }

  get left(): number {
    return Math.max(0, this.#file.statSync().size - this.#at);
  }

  read(into: Uint8Array<ArrayBuffer>, aside: boolean): number | Promise<number> {
    if (aside) return this.#file.read(into).then((count) => this.#move(count));
    return this.#move(this.#file.readSync(into));
  }

  #move(count: number | null): number {
    this.#at += count ?? 0;
    return count ?? 0;
  }

  isReplaced(path: string): boolean {
    const own = this.#file.statSync();
    if (own.size < this.#at) return true;
    const found = fileAt(path);
    return found !== undefined && !isOneFile(found, own);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

class SealedBytes extends SegmentBytes {
  readonly isSealed = true;
  readonly #input: CaptureInput;

  private constructor(input: CaptureInput) {
    super();
    this.#input = input;
  }

  static async openAt(path: string, at: number): Promise<SealedBytes> {
    const sealed = new SealedBytes(await CaptureInput.open(path));
    try {
      const into = new Uint8Array(Math.min(at, SKIPPED_BYTES));
      for (let left = at; left > 0;) {
        const count = await sealed.read(into.subarray(0, Math.min(left, into.length)), true);
        if (count === 0) throw new ShorterError();
        left -= count;
      }
    } catch (error) {
      sealed[Symbol.dispose]();
      throw error;
    }
    return sealed;
  }

  get left(): number {
    return Math.max(0, (this.#input.totalBytes ?? 0) - this.#input.bytesRead);
  }

  read(into: Uint8Array<ArrayBuffer>, aside: boolean): number | Promise<number> {
    return this.#input.read(into, aside);
  }

  /** Never: it is complete. */
  isReplaced(): boolean {
    return false;
  }

  [Symbol.dispose](): void {
    this.#input[Symbol.dispose]();
  }
}
