/**
 * Capture files as streams of bytes: plain, compressed, from a pipe, or still being written.
 *
 * @module
 */
import type { HeldInput } from "./held_input.ts";
import { NO_UTF8 } from "../linux/environment.ts";
import { InputError } from "./input_error.ts";
import { fileAt, isOneFile } from "./same_file.ts";

/** First bytes of a gzip member (RFC 1952 §2.3.1). */
const GZIP_MAGIC = 0x1f8b;
/** First bytes of a zstd frame and of a skippable one (RFC 8878 §3.1.1, §3.1.2), big endian. */
const ZSTD_MAGIC = 0x28b52ffd;
const SKIPPABLE_MAGIC = 0x502a4d18;
const SKIPPABLE_MASK = 0xf0ffffff | 0;
const MAGIC_LENGTH = 4;
/** Bytes read at once ahead of decompression, or from a pipe. */
const PIECE_LENGTH = 256 * 1024;
/** How often a file that is being written is looked at. */
const POLL_MS = 100;
const NOTHING = new Uint8Array(0);

/** One capture file, open for reading. */
export class CaptureInput implements Disposable {
  /** Bytes read so far, as they lie in the file. */
  bytesRead = 0;
  /** Bytes of the file; undefined where it is no regular file. */
  readonly totalBytes: number | undefined;
  readonly #file: Deno.FsFile | typeof Deno.stdin;
  readonly #isRegular: boolean;
  /** Whether it is closed with this. */
  readonly #isOwn: boolean;
  /** What is still to be handed out: of the first look at the file, or decompressed. */
  #ahead: Uint8Array<ArrayBuffer>;
  readonly #decompressed: AsyncIterator<Uint8Array> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    file: Deno.FsFile | typeof Deno.stdin,
    isOwn: boolean,
    totalBytes: number | undefined,
    ahead: Uint8Array<ArrayBuffer>,
    decompress: Decompress | undefined,
  ) {
    this.#file = file;
    this.#isOwn = isOwn;
    this.totalBytes = totalBytes;
    this.#isRegular = totalBytes !== undefined;
    this.bytesRead = ahead.length;
    this.#decompressed = decompress?.(this.#pieces(ahead))[Symbol.asyncIterator]();
    this.#ahead = decompress ? NOTHING : ahead;
  }

  /**
   * Opens a file and looks at its first bytes, for which it waits where they are still to come: of a
   * FIFO that nobody writes until somebody does.
   *
   * @param path Its path; undefined for standard input.
   * @throws {InputError} It is not there, or may not be read.
   */
  static async open(path: string | undefined): Promise<CaptureInput> {
    const file = path === undefined ? Deno.stdin : await openFile(path);
    try {
      return await CaptureInput.#begin(file, file !== Deno.stdin);
    } catch (error) {
      if (path !== undefined) (file as Deno.FsFile).close();
      throw toInputError(error);
    }
  }

  /** Reads what is held, from its start; it stays open when this is disposed of. @throws {InputError} */
  static async reopen({ file }: HeldInput): Promise<CaptureInput> {
    try {
      file.seekSync(0, Deno.SeekMode.Start);
      return await CaptureInput.#begin(file, false);
    } catch (error) {
      throw toInputError(error);
    }
  }

  static async #begin(file: Deno.FsFile | typeof Deno.stdin, isOwn: boolean) {
    const { isFile, isDirectory, size } = file === Deno.stdin
      ? { isFile: false, isDirectory: false, size: 0 }
      : (file as Deno.FsFile).statSync();
    if (isDirectory) throw new InputError("it is a directory");
    const ahead = await readAhead(file);
    const decompress = await decompressorOf(ahead);
    return new CaptureInput(file, isOwn, isFile ? size : undefined, ahead, decompress);
  }

  /** Whether what is handed out was compressed in the file. */
  get isCompressed(): boolean {
    return this.#decompressed !== undefined;
  }

  /** Whether it is a file of its own, so that reading waits for nobody who writes it. */
  get isRegular(): boolean {
    return this.#isRegular;
  }

  /** Whether {@linkcode grown} can be used. */
  get canGrow(): boolean {
    return this.#isRegular && !this.isCompressed;
  }

  /**
   * Reads the next bytes. Of a plain file this takes no promise: that is worth half of the time.
   *
   * @param into Where to, at least one byte. @param aside Whether everything else that waits, such as
   * a signal or the output, has its turn meanwhile.
   * @returns How many; 0 at the end.
   * @throws {InputError} Now or in the promise: reading failed, or the compressed data is broken.
   */
  read(into: Uint8Array<ArrayBuffer>, aside = false): number | Promise<number> {
    if (this.#decompressed) return this.#readDecompressed(into, aside);
    if (this.#ahead.length > 0) return this.#takeAhead(into);
    if (!this.#isRegular || aside) return this.#readAside(into);
    const count = asInputError(() => (this.#file as Deno.FsFile).readSync(into)) ?? 0;
    this.bytesRead += count;
    return count;
  }

  /**
   * Settles when there is more to read at the end of a regular file.
   *
   * @throws {InputError} In the promise: the file became shorter than what was read of it.
   */
  async grown(): Promise<void> {
    const change = await this.changed();
    if (change === "cut") throw new InputError("it was cut short while it was followed");
  }

  /**
   * Settles when a regular file that was read to its end is longer, or shorter than what was read of it.
   *
   * @param path Settles too when this path leads to another file, as behind a rotation.
   */
  async changed(path?: string): Promise<"grown" | "cut" | "replaced"> {
    for (;;) {
      const own = asInputError(() => (this.#file as Deno.FsFile).statSync());
      if (own.size > this.bytesRead) return "grown";
      if (own.size < this.bytesRead) return "cut";
      const now = path === undefined ? undefined : fileAt(path);
      if (now !== undefined && (!isOneFile(now, own))) return "replaced";
      await new Promise((resolve) => this.#timer = setTimeout(resolve, POLL_MS));
    }
  }

  async #readAside(into: Uint8Array<ArrayBuffer>): Promise<number> {
    try {
      const count = await this.#file.read(into) ?? 0;
      this.bytesRead += count;
      return count;
    } catch (error) {
      throw toInputError(error);
    }
  }

  async #readDecompressed(into: Uint8Array<ArrayBuffer>, aside: boolean): Promise<number> {
    // Decompressing has no turns, and a timer would wait for a millisecond at least.
    if (aside) await new Promise((resolve) => setImmediate(resolve));
    if (this.#ahead.length === 0) {
      const { done, value } = await this.#decompressed!.next();
      if (done) return 0;
      this.#ahead = value as Uint8Array<ArrayBuffer>;
    }
    return this.#takeAhead(into);
  }

  #takeAhead(into: Uint8Array<ArrayBuffer>): number {
    const part = this.#ahead.subarray(0, into.length);
    into.set(part);
    this.#ahead = this.#ahead.subarray(part.length);
    return part.length;
  }

  /** The file's own bytes, for a decompressor. */
  async *#pieces(begin: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield begin;
    for (;;) {
      const piece = new Uint8Array(PIECE_LENGTH);
      const count = this.#isRegular
        ? asInputError(() => (this.#file as Deno.FsFile).readSync(piece)) ?? 0
        : await this.#file.read(piece) ?? 0;
      if (count === 0) return;
      this.bytesRead += count;
      yield piece.subarray(0, count);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    // Without a timer this would only load what Node has for them, which takes 17 ms.
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#decompressed?.return?.().catch(() => {});
    if (this.#isOwn) (this.#file as Deno.FsFile).close();
  }
}

/** Never on this thread: of a FIFO it waits for the other end, and nothing would be heard meanwhile. */
async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    const sealed = await openSealed(path, error);
    if (sealed) return sealed;
    if (error instanceof Deno.errors.NotFound && path.includes(NO_UTF8)) {
      throw new InputError(
        "its name is no UTF-8; give it on standard input, as in synsnoop read - < FILE",
      );
    }
    throw toInputError(error);
  }
}

/** A file of records that was compressed, and so renamed, after somebody listed its folder. */
async function openSealed(path: string, error: unknown): Promise<Deno.FsFile | undefined> {
  if (!(error instanceof Deno.errors.NotFound) || !path.endsWith(".ndjson")) return undefined;
  return await Deno.open(`${path}.zst`).catch(() => undefined);
}

async function readAhead(file: Deno.FsFile | typeof Deno.stdin): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(MAGIC_LENGTH);
  let length = 0;
  while (length < MAGIC_LENGTH) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

type Decompress = (pieces: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

async function decompressorOf(begin: Uint8Array<ArrayBuffer>): Promise<Decompress | undefined> {
  if (begin.length < MAGIC_LENGTH) return undefined;
  const magic = new DataView(begin.buffer, begin.byteOffset).getInt32(0);
  const isGzip = magic >>> 16 === GZIP_MAGIC;
  const isZstd = magic === ZSTD_MAGIC ||
    (magic & SKIPPABLE_MASK) === (SKIPPABLE_MAGIC & SKIPPABLE_MASK);
  if (!isGzip && !isZstd) return undefined;
  // Loading the libraries takes time and memory that a plain file does not cost; with a literal path they
  // would be read and examined at each start.
  const { decompressGzip, decompressZstd }: typeof import("./decompress.ts") = await import(
    import.meta.resolve("./decompress.ts")
  );
  return isGzip ? decompressGzip : decompressZstd;
}

function asInputError<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toInputError(error);
  }
}

/** A system's error in words; anything else is a mistake of the program and goes on as it is. */
function toInputError(error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound) return new InputError("there is no such file");
  if (error instanceof Deno.errors.PermissionDenied) return new InputError("permission denied");
  // Standard input: of a file by its name it is known before.
  if (error instanceof Deno.errors.IsADirectory) return new InputError("it is a directory");
  // Its name did not tell: it is a link.
  if (error instanceof Deno.errors.NotCapable && /Requires all access/.test(error.message)) {
    return new InputError("it leads into /dev, /proc or /sys; give it on standard input");
  }
  if (error instanceof Deno.errors.NotADirectory) {
    return new InputError("what stands before a / in it is no folder");
  }
  // What the runtime adds to the system's words tells the path once more.
  if (error instanceof Error && "code" in error) {
    return new InputError(error.message.replace(/: open '.*$/s, ""));
  }
  return error;
}
