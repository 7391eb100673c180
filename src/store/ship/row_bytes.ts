const FIRST_BYTES = 64 * 1024;
/** Bytes of UTF-8 that one UTF-16 unit becomes, at most. */
const BYTES_OF_UNIT = 3;

const encoder = new TextEncoder();

/** Rows as they are sent, in memory that is used again: as strings a batch would be there three times. */
export class RowBytes {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** How many bytes are in it. */
  get length(): number {
    return this.#length;
  }

  /** Adds a row. @param text With its newline. */
  add(text: string): void {
    const needed = this.#length + BYTES_OF_UNIT * text.length;
    if (needed > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      wider.set(this.bytes());
      this.#bytes = wider;
    }
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** All of them: a view that holds until the next change. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
  }
}
