/**
 * Where the frames of a zstd file begin and end (RFC 8878 §3.1), without decompressing them.
 *
 * @module
 */

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

/** Fields that are looked at, and their bytes. */
const FIELD_LENGTH = { magic: 4, skippableSize: 4, descriptor: 1, blockHeader: 3 } as const;

/** Walks over the frames of bytes that come in any pieces. */
export class ZstdFrameWalker {
  #field: keyof typeof FIELD_LENGTH = "magic";
  #value = 0;
  #length = 0;
  /** Bytes that need not be looked at, and whether the frame ends behind them. */
  #skip = 0;
  #last = false;
  #checksumLength = 0;

  /**
   * Goes on in the current frame.
   *
   * @param bytes The next bytes. @param at Offset of the first one not walked over yet.
   * @returns Offset behind the frame, or -1 where it goes on behind `bytes`.
   * @throws {Error} No frame begins here, or it has a block of no known type.
   */
  walk(bytes: Uint8Array, at: number): number {
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0) return -1;
      if (this.#last) {
        this.#last = false;
        return at;
      }
      while (this.#length < FIELD_LENGTH[this.#field]) {
        if (at === bytes.length) return -1;
        this.#value += bytes[at++] * 256 ** this.#length++;
      }
      this.#take(this.#value);
      this.#value = this.#length = 0;
    }
  }

  #take(value: number): void {
    switch (this.#field) {
      case "magic":
        this.#field = fieldBehindMagic(value);
        break;
      case "skippableSize":
        this.#skip = value;
        this.#last = true;
        this.#field = "magic";
        break;
      case "descriptor":
        this.#skip = headerLength(value);
        this.#checksumLength = (value & CHECKSUM) !== 0 ? CHECKSUM_LENGTH : 0;
        this.#field = "blockHeader";
        break;
      case "blockHeader": {
        const type = value >>> BLOCK_TYPE_SHIFT & BLOCK_TYPE;
        if (type === RESERVED_BLOCK) throw new Error("a block has no known type");
        this.#skip = type === RLE_BLOCK ? 1 : value >>> BLOCK_SIZE_SHIFT;
        this.#last = (value & LAST_BLOCK) !== 0;
        if (this.#last) {
          this.#skip += this.#checksumLength;
          this.#field = "magic";
        }
      }
    }
  }
}

function fieldBehindMagic(magic: number): "descriptor" | "skippableSize" {
  if (magic === FRAME_MAGIC) return "descriptor";
  if (magic >>> SKIPPABLE_SHIFT === SKIPPABLE_MAGIC >>> SKIPPABLE_SHIFT) return "skippableSize";
  throw new Error("no zstd frame begins where one ends");
}

/** Bytes of a frame header behind its descriptor. */
function headerLength(descriptor: number): number {
  const single = (descriptor & SINGLE_SEGMENT) !== 0;
  const contentSize = CONTENT_SIZE_LENGTHS[descriptor >>> CONTENT_SIZE_SHIFT];
  return (single ? 0 : 1) + DICTIONARY_ID_LENGTHS[descriptor & DICTIONARY_ID] +
    (single && contentSize === 0 ? 1 : contentSize);
}

/**
 * Splits a zstd file into its frames, skippable ones included. Each must be read before the next.
 *
 * @throws {Error} While iterating: there is no frame, or the last one is cut short.
 */
export async function* splitZstdFrames(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const iterator = pieces[Symbol.asyncIterator]();
  const walker = new ZstdFrameWalker();
  let piece = new Uint8Array(0) as Uint8Array;
  let at = 0;
  const isThereMore = async () => {
    while (at === piece.length) {
      const { done, value } = await iterator.next();
      if (done) return false;
      piece = value;
      at = 0;
    }
    return true;
  };
  async function* frame(): AsyncGenerator<Uint8Array> {
    do {
      const end = walker.walk(piece, at);
      const part = piece.subarray(at, end < 0 ? piece.length : end);
      at += part.length;
      yield part;
      if (end >= 0) return;
    } while (await isThereMore());
    throw new Error("unexpected end of file");
  }
  while (await isThereMore()) yield frame();
}
