const FIRST_CAPACITY = 64 * 1024;
/** Bytes that are copied at once; a copy may go this far beyond the text's end. */
const STRIDE = 8;
/** Integers below it are written in two parts of nine digits. */
const TWO_PARTS_END = 1e18;
/** Eighteen digits and a sign. */
const INTEGER_MAX = 19;
const ZERO = "0".charCodeAt(0);
const MINUS = "-".charCodeAt(0);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * For each number below 1000 its three digits with leading zeros, the first one lowest, and above them
 * how many there are without leading zeros.
 */
const TRIPLES = new Uint32Array(1_000);
for (let value = 0; value < TRIPLES.length; value++) {
  const hundreds = value / 100 | 0;
  const tens = value / 10 % 10 | 0;
  const length = value < 10 ? 1 : value < 100 ? 2 : 3;
  TRIPLES[value] = hundreds + ZERO | tens + ZERO << 8 | value % 10 + ZERO << 16 | length << 24;
}

/** A text that is appended often, ready to be copied. */
export class ConstantText {
  /** The text's bytes and zeros behind them, eight at once. */
  readonly strides: Float64Array;
  /** How many strides there are. */
  readonly strideCount: number;
  /** How many bytes the text has. */
  readonly length: number;

  /** Encodes the text. */
  constructor(text: string) {
    const bytes = encoder.encode(text);
    this.length = bytes.length;
    this.strideCount = Math.ceil(bytes.length / STRIDE);
    this.strides = new Float64Array(this.strideCount);
    new Uint8Array(this.strides.buffer).set(bytes);
  }
}

/**
 * A text under construction, as bytes of UTF-8: appending allocates nothing. With strings in the place
 * of bytes a record cost twice as much, most of it to join and to encode them.
 */
export class ByteText {
  /** How many bytes there are. */
  length = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  /** Room, but for a last stride. */
  #lengthMax: number;

  /**
   * Makes an empty text.
   *
   * @param capacity Bytes that it has room for before it must grow.
   */
  constructor(capacity: number = FIRST_CAPACITY) {
    this.#bytes = new Uint8Array(capacity + STRIDE);
    this.#view = new DataView(this.#bytes.buffer);
    this.#lengthMax = capacity;
  }

  /** Appends a text that was prepared. */
  constant(text: ConstantText): void {
    const { strides, strideCount } = text;
    this.#reserve(text.length);
    const view = this.#view;
    let at = this.length;
    // A double is the fastest way to move eight bytes. None is a NaN, whose bits might change: that
    // takes a byte of 0x7f or 0xff, and neither is in UTF-8 without control characters.
    for (let stride = 0; stride < strideCount; stride++, at += STRIDE) {
      view.setFloat64(at, strides[stride], true);
    }
    this.length += text.length;
  }

  /** Appends another text. */
  append(text: ByteText): void {
    const { length } = text;
    this.#reserve(length);
    const view = this.#view;
    const from = text.#view;
    for (let at = 0; at < length; at += STRIDE) {
      view.setFloat64(this.length + at, from.getFloat64(at, true), true);
    }
    this.length += length;
  }

  /** Appends a text of which the bytes of UTF-8 are there. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends one character of ASCII by its code. */
  character(code: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = code;
  }

  /** Appends any text. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    this.length += encoder.encodeInto(text, this.#bytes.subarray(this.length)).written;
  }

  /** Appends an integer in decimal. */
  integer(value: number): void {
    // Only a damaged file gives such a number: the years between two of its times in nanoseconds.
    if (Math.abs(value) >= TWO_PARTS_END) return this.text(String(value));
    this.#reserve(INTEGER_MAX);
    if (value < 0) {
      this.#bytes[this.length++] = MINUS;
      value = -value;
    }
    if (value < 1e9) return this.#small(value | 0);
    const high = Math.floor(value / 1e9);
    this.#small(high);
    this.nineDigits(value - high * 1e9);
  }

  /** Appends an integer from 0 to 999 999 999 with leading zeros. */
  nineDigits(value: number): void {
    this.#reserve(9);
    const millions = value / 1e6 | 0;
    const below = value - millions * 1e6 | 0;
    const thousands = below / 1e3 | 0;
    this.#triple(millions);
    this.#triple(thousands);
    this.#triple(below - thousands * 1e3);
  }

  #small(value: number): void {
    if (value < 1e3) return this.#first(value);
    const thousands = value / 1e3 | 0;
    if (thousands < 1e3) {
      this.#first(thousands);
    } else {
      const millions = thousands / 1e3 | 0;
      this.#first(millions);
      this.#triple(thousands - millions * 1e3);
    }
    this.#triple(value - thousands * 1e3);
  }

  /** Appends a number below 1000. */
  #first(value: number): void {
    const triple = TRIPLES[value];
    const count = triple >>> 24;
    this.#view.setUint32(this.length, triple >>> 8 * (3 - count), true);
    this.length += count;
  }

  /** Appends a number below 1000 with leading zeros. */
  #triple(value: number): void {
    this.#view.setUint32(this.length, TRIPLES[value], true);
    this.length += 3;
  }

  /** Makes room for some bytes and {@link STRIDE} beyond them. */
  #reserve(count: number): void {
    if (this.length + count > this.#lengthMax) this.#grow(count);
  }

  #grow(count: number): void {
    this.#lengthMax = Math.max(2 * this.#lengthMax, this.length + count);
    const bytes = new Uint8Array(this.#lengthMax + STRIDE);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** The bytes, valid until the next is appended; the text is empty then. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.subarray(0, this.length);
    this.length = 0;
    return bytes;
  }

  /** What was appended from a place on, as a string. */
  textFrom(from: number): string {
    return decoder.decode(this.#bytes.subarray(from, this.length));
  }

  /** The text as a string. */
  toString(): string {
    return decoder.decode(this.#bytes.subarray(0, this.length));
  }
}
