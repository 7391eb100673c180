/**
 * Where the frames of a zstd file begin and end (RFC 8878 §3.1), without decompressing them.
 *
 * @module
 */
import { broken, InputError } from "./input_error.ts";

/** Magic numbers, little endian (RFC 8878 §3.1.1, §3.1.2). */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Without the four bits that tell sixteen skippable magics apart. */
const SKIPPABLE_SHIFT = 4;

/** Bits of the frame header descriptor (§3.1.1.1.1). */
const CONTENT_SIZE_SHIFT = 6;
const SINGLE_SEGMENT = 1 << 5;
const CHECKSUM = 1 << 2;
const DICTIONARY_ID = 0b11;
/** Bytes of the fields that the descriptor announces, by its bits (§3.1.1.1.1.6, §3.1.1.1.3). */
const DICTIONARY_ID_LENGTHS = [0, 1, 2, 4];
const CONTENT_SIZE_LENGTHS = [0, 2, 4, 8];
const CHECKSUM_LENGTH = 4;

/** Bits of a block header (§3.1.1.2). */
const LAST_BLOCK = 1;
const BLOCK_TYPE_SHIFT = 1;
const BLOCK_TYPE = 0b11;
const BLOCK_SIZE_SHIFT = 3;
/** A block of one byte repeated: the size is that of what it decompresses to. */
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** Exponent and mantissa of a window's size (§3.1.1.1.2). */
const WINDOW_LOG_MIN = 10;
const WINDOW_MANTISSA_BITS = 3;
const WINDOW_MANTISSA = 0b111;
/** A content size of two bytes counts from here on (§3.1.1.1.4). */
const CONTENT_SIZE_OF_2_MIN = 256;
/**
 * What a decompressor may be made to keep of what it gave: as much as `zstd --ultra -20` asks for, and
 * four times as much as every decompressor must be able to (§3.1.1.1.2).
 */
const WINDOW_MAX_BYTES = 32 * 1024 * 1024;

/** Bytes of the fields that are looked at and always have as many. */
const FIELD_LENGTH = {
  magic: 4,
  skippableSize: 4,
  descriptor: 1,
  window: 1,
  blockHeader: 3,
} as const;
type Field = keyof typeof FIELD_LENGTH | "contentSize";

/** Walks over the frames of bytes that come in any pieces. */
export class ZstdFrameWalker {
  /** Whether a frame ends where the last walk did. */
  isBehindFrame = true;
  /** Whether all that was walked over of this frame is known to have no content. */
  isSkippable = false;
  /**
   * Why the last walk ended and there is none after it: no frame begins there, it has a block of no
   * known type, or its window is too large.
   */
  fault: InputError | undefined;
  #field: Field = "magic";
  #fieldLength: number = FIELD_LENGTH.magic;
  #value = 0;
  #length = 0;
  /** Bytes that need not be looked at, and whether the frame ends behind them. */
  #skip = 0;
  #last = false;
  /** Bytes of the header behind the window's size. */
  #headerRest = 0;
  #checksumLength = 0;

  /**
   * Goes on in the current frame, to its end at most.
   *
   * @param bytes The next bytes. @param at Offset of the first one not walked over yet.
   * @param blocksMax Blocks to end behind: each may have 128 KiB of content, however short it is.
   * @returns Offset of the first byte that was not walked over.
   */
  walk(bytes: Uint8Array, at: number, blocksMax: number): number {
    if (this.isBehindFrame) this.isSkippable = false;
    this.isBehindFrame = false;
    for (let blocks = 0;;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0) return at;
      if (this.#last) {
        this.#last = false;
        this.isBehindFrame = true;
        return at;
      }
      if (blocks === blocksMax) return at;
      const fieldAt = at;
      while (this.#length < this.#fieldLength) {
        if (at === bytes.length) return at;
        this.#value += bytes[at++] * 256 ** this.#length++;
      }
      if (this.#field === "blockHeader") blocks++;
      this.#take(this.#value);
      if (this.fault !== undefined) return fieldAt;
      this.#value = this.#length = 0;
    }
  }

  #take(value: number): void {
    switch (this.#field) {
      case "magic":
        this.#takeMagic(value);
        break;
      case "skippableSize":
        this.#endBehind(value);
        break;
      case "descriptor":
        this.#takeDescriptor(value);
        break;
      case "window": {
        const base = 2 ** (WINDOW_LOG_MIN + (value >>> WINDOW_MANTISSA_BITS));
        this.#takeWindow(base + base / (WINDOW_MANTISSA + 1) * (value & WINDOW_MANTISSA));
        this.#skip = this.#headerRest;
        this.#expect("blockHeader");
        break;
      }
      case "contentSize":
        // All of it is the window.
        this.#takeWindow(value + (this.#fieldLength === 2 ? CONTENT_SIZE_OF_2_MIN : 0));
        this.#expect("blockHeader");
        break;
      case "blockHeader": {
        const type = value >>> BLOCK_TYPE_SHIFT & BLOCK_TYPE;
        if (type === RESERVED_BLOCK) this.fault = broken("a block has no known type");
        const length = type === RLE_BLOCK ? 1 : value >>> BLOCK_SIZE_SHIFT;
        if ((value & LAST_BLOCK) !== 0) this.#endBehind(length + this.#checksumLength);
        else this.#skip = length;
      }
    }
  }

  #takeMagic(magic: number): void {
    this.isSkippable = magic >>> SKIPPABLE_SHIFT === SKIPPABLE_MAGIC >>> SKIPPABLE_SHIFT;
    if (magic !== FRAME_MAGIC && !this.isSkippable) {
      this.fault = broken("no zstd frame begins where one ends");
    }
    this.#expect(this.isSkippable ? "skippableSize" : "descriptor");
  }

  #takeWindow(bytes: number): void {
    if (bytes <= WINDOW_MAX_BYTES) return;
    this.fault = new InputError(
      "to decompress it takes a zstd window of more than 32 MB of memory; " +
        "let zstd do it: zstd -dc --long=31 FILE | synsnoop read -",
    );
  }

  #takeDescriptor(descriptor: number): void {
    const dictionaryIdLength = DICTIONARY_ID_LENGTHS[descriptor & DICTIONARY_ID];
    const contentSizeLength = CONTENT_SIZE_LENGTHS[descriptor >>> CONTENT_SIZE_SHIFT];
    this.#checksumLength = (descriptor & CHECKSUM) !== 0 ? CHECKSUM_LENGTH : 0;
    if ((descriptor & SINGLE_SEGMENT) !== 0) {
      this.#skip = dictionaryIdLength;
      this.#expect("contentSize", contentSizeLength || 1);
    } else {
      this.#headerRest = dictionaryIdLength + contentSizeLength;
      this.#expect("window");
    }
  }

  #expect(field: Field, length = 0): void {
    this.#field = field;
    this.#fieldLength = field === "contentSize" ? length : FIELD_LENGTH[field];
  }

  #endBehind(length: number): void {
    this.#skip = length;
    this.#last = true;
    this.#expect("magic");
  }
}

/**
 * Cuts a zstd file into parts for a decompressor: none reaches beyond the end of a frame or has more
 * than so many blocks. Skippable frames are left out.
 *
 * @returns Of each piece its parts, to be taken before the next piece is asked for.
 * @throws {InputError} While iterating over pieces or parts: there is no frame, the last one is cut
 * short, or its window is too large.
 */
export async function* cutZstdFrames(
  pieces: AsyncIterable<Uint8Array>,
  blocksMax: number,
): AsyncGenerator<Iterable<Uint8Array>> {
  const walker = new ZstdFrameWalker();
  // What was handed out of a frame before its kind was known goes on.
  let isBegun = false;
  function* cut(piece: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < piece.length;) {
      const end = walker.walk(piece, at, blocksMax);
      if (isBegun || !walker.isSkippable) {
        yield piece.subarray(at, end);
        isBegun = !walker.isBehindFrame;
      }
      // What stands before it was given out: it may be decompressed.
      if (walker.fault !== undefined) throw walker.fault;
      at = end;
    }
  }
  for await (const piece of pieces) yield cut(piece);
  if (!walker.isBehindFrame) throw broken("unexpected end of file");
}
