/** More than a pipe holds for one who may not ask for more (fs.pipe-max-size). */
const REMEMBERED_BYTES = (1 << 20) + (1 << 16);
const NEWLINE = 10;

/** What was written to a pipe last, for its next reader where the one before left some of it. */
export class SentLines {
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  /** Takes what was written; copies it. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes.slice());
    this.#length += bytes.length;
    while (this.#length - this.#parts[0].length >= REMEMBERED_BYTES) {
      this.#length -= this.#parts.shift()!.length;
    }
  }

  /**
   * Takes back the last bytes, and what stands before them in their first line: whoever read that got
   * a part of a line, and the next reader gets it whole.
   *
   * @param unread How many of the last bytes nobody has read.
   */
  take(unread: number): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    const from = Math.max(0, all.length - unread);
    return from === 0 ? all : all.subarray(all.lastIndexOf(NEWLINE, from - 1) + 1);
  }
}
